import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { differences } from "../../codegen/deviations.ts";
import { facts } from "../../codegen/spec_model.ts";

const SPEC = `
openapi: 3.0.1
info: { title: A VM, version: 0.3.0 }
servers: [{ url: "http://localhost/api/v1" }]
paths:
  /vm.create:
    put:
      operationId: createVM
      requestBody:
        content: { application/json: { schema: { $ref: "#/s/Config" } } }
        required: true
      responses:
        204: { description: Created. }
        404: { description: Not there. }
components:
  schemas:
    Mode: { type: string, enum: ["Off", Pty], default: "Off" }
    Config:
      type: object
      required: [size]
      properties:
        size: { type: integer, format: uint64, maximum: 9223372036854775807 }
        mode: { $ref: "#/s/Mode" }
        burst: { type: integer, nullable: true }
        cpus: { type: array, items: { type: integer, format: int32 } }
        tree: { type: object, additionalProperties: { $ref: "#/s/Mode" } }
`;

/** The differences after a part of the spec is replaced. */
function told(from: string, to: string): string[] {
  assert.ok(SPEC.includes(from), from);
  const changed = SPEC.replace(from, to);
  return [...differences(factsOf(SPEC), factsOf(changed))]
    .map(([at, { upstream, ours }]) => `${at}: ${upstream} -> ${ours}`);
}

function factsOf(text: string): ReturnType<typeof facts> {
  return facts(parse(text, { intAsBigInt: true }));
}

/** A replacement, and the facts that it changes. */
const CHANGES: [from: string, to: string, ...told: string[]][] = [
  [
    "api/v1",
    "v2",
    'API servers: [{"url":"http://localhost/api/v1"}] -> ' +
    '[{"url":"http://localhost/v2"}]',
  ],
  [
    "/vm.create",
    "/vm.make",
    "/vm.create: present -> absent",
    "/vm.make: absent -> present",
  ],
  [
    "put:",
    "post:",
    "/vm.create PUT: present -> absent",
    "/vm.create POST: absent -> present",
  ],
  [
    "404:",
    "409:",
    "/vm.create PUT 404: empty -> absent",
    "/vm.create PUT 409: absent -> empty",
  ],
  [
    "Created.",
    "It., content: { application/json: { schema: { $ref: Id } } }",
    "/vm.create PUT 204: empty -> Id",
  ],
  ["s/Config", "s/Other", "/vm.create PUT body: Config -> Other"],
  ["        required: true\n", "", "/vm.create PUT body required: yes -> no"],
  [
    "    Mode: {",
    "    New: { type: object, required: [a] }\n    Mode: {",
    "New: absent -> object",
  ],
  ["Pty]", "Pty, Tty]", "Mode enum Tty: absent -> yes"],
  [
    'default: "Off"',
    "default: Pty",
    'Config.mode default: "Off" -> "Pty"',
    'Config.tree{} default: "Off" -> "Pty"',
  ],
  [
    "burst:",
    "burts:",
    "Config.burst: integer -> absent",
    "Config.burts: absent -> integer",
  ],
  [
    "integer, format: int32",
    "string",
    "Config.cpus[]: integer -> string",
    "Config.cpus[] format: int32 -> absent",
  ],
  ["int32", "int64", "Config.cpus[] format: int32 -> int64"],
  [
    "807 }",
    "806 }",
    "Config.size maximum: 9223372036854775807 -> 9223372036854775806",
  ],
  ["uint64", "uint64, minimum: 1", "Config.size minimum: absent -> 1"],
  ["int32", "int32, minimum: 0", "Config.cpus[] minimum: absent -> 0"],
  ["uint64", "uint64, multipleOf: 8", "Config.size multipleOf: absent -> 8"],
  [
    "required: [size]",
    "required: [size, mode]",
    "Config.mode required: no -> yes",
  ],
  ["nullable: true", "nullable: false", "Config.burst null: yes -> absent"],
  [
    "required: [size]",
    "additionalProperties: false",
    "Config.size required: yes -> no",
    "Config{}: absent -> refused",
  ],
  [
    'tree: { type: object, additionalProperties: { $ref: "#/s/Mode" } }',
    'tree: { oneOf: [{ type: string }, { $ref: "#/s/Mode" }] }',
    "Config.tree: object -> any",
    "Config.tree{}: Mode -> absent",
    "Config.tree oneOf 0: absent -> string",
    "Config.tree oneOf 1: absent -> Mode",
  ],
];

test("facts() tell specs apart", async (t) => {
  for (const [from, to, ...expected] of CHANGES) {
    await t.test(expected.join(", "), () => {
      assert.deepEqual(told(from, to).sort(), expected.sort());
    });
  }
});

/** A replacement that says the same. */
const SPELLINGS: [from: string, to: string][] = [
  ["3.0.1", "3.1.0"],
  ["version: 0.3.0", "version: 54.0.0"],
  ["createVM", "vm.create"],
  ["Not there.", "There is none."],
  ["204:", '"204":'],
  ['["Off", Pty]', '[Pty, "Off"]'],
  ["Mode: {", "Mode: { description: How., x-open: config,"],
  ["uint64", "uint64, minimum: 0"],
  ["integer, nullable: true", '[integer, "null"]'],
  [
    "{ type: integer, nullable: true }",
    '{ anyOf: [{ type: integer }, { type: "null" }] }',
  ],
  ['mode: { $ref: "#/s/Mode" }', 'mode: { $ref: "#/s/Mode", default: "Off" }'],
  [
    'mode: { $ref: "#/s/Mode" }',
    'mode: { allOf: [{ $ref: "#/s/Mode" }], default: "Off" }',
  ],
  [
    "404: { description: Not there. }\ncomponents:",
    '404: { $ref: "#/r/None" }\ncomponents:\n' +
    "  responses: { None: { description: There is none. } }",
  ],
];

test("facts() are the same in other words", async (t) => {
  for (const [from, to] of SPELLINGS) {
    await t.test(to, () => assert.deepEqual(told(from, to), []));
  }
});

test("facts() of a schema that only refers are those of the other", () => {
  const alias = '    Alias: { $ref: "#/s/Mode", description: The same. }\n';
  const copy = '    Alias: { type: string, enum: [Pty, "Off"] }\n';
  assert.deepEqual([
    ...differences(factsOf(SPEC + alias), factsOf(SPEC + copy)),
  ], []);
});
