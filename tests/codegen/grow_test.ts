/** A new operation of the VMM needs the spec and the names of its types. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import {
  copyProject,
  deno,
  denoPasses,
  edit,
} from "../support/project_copy.ts";
import {
  bodyOf,
  pathOf,
  reply,
  type Script,
  serving,
} from "../support/server.ts";

const OPERATION = `  /vm.measure-guest:
    put:
      operationId: vm.measureGuest
      summary: Measures the guest
      description: Takes as long as it is told.
      x-deadline-ms: 50
      x-states: [Running]
      x-failure-message: The guest could not be measured
      x-errors: [not_created]
      x-returns: data
      x-since: v54.0
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/VmMeasureGuest'}
      responses:
        '200':
          description: It was measured.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/GuestMeasure'}
        '404': {$ref: '#/components/responses/NotFound'}
        '500': {$ref: '#/components/responses/Failed'}
`;

const SCHEMAS = `
    VmMeasureGuest:
      description: What to measure.
      type: object
      required: [depth]
      properties:
        depth:
          description: How deep to look.
          type: integer
          format: uint64
          minimum: 0
    GuestMeasure:
      description: What was measured.
      type: object
      required: [steps]
      properties:
        steps:
          description: How many steps it took.
          type: integer
          format: uint64
          minimum: 0
          x-js-type: bigint`;

const SCRIPT = `
import {
  ApiError, createClient, DeadlineError, type GuestMeasure,
  InvalidRequestError, type VmMeasureGuest,
} from "./mod.ts";

const { vm } = createClient(process.argv.at(-1)!);
const body: VmMeasureGuest = { depth: 2n ** 63n };
const { steps }: GuestMeasure = await vm.measureGuest(body, { timeoutMs: Infinity });
const exact: bigint = steps;
// @ts-expect-error: a depth is no text.
export const wrong: VmMeasureGuest = { depth: "1" };

const code = (error: unknown): string =>
  error instanceof ApiError ? error.code + error.status
    : error instanceof InvalidRequestError ? error.code + " " + error.field
    : error instanceof DeadlineError ? error.code + error.timeoutMs
    : String(error);
const errors = [
  await vm.measureGuest({ depth: 1 }, { timeoutMs: Infinity }).catch(code),
  await vm.measureGuest({ depth: 0.5 }).catch(code),
  await vm.measureGuest({ depth: 2 }).catch(code),
];
console.log(JSON.stringify([exact.toString(), ...errors]));
`;

const FAKE_SCRIPT = `
import { ApiError, createClient } from "./mod.ts";
import { FakeVmm } from "./testing/mod.ts";

const vmm = await FakeVmm.start({ files: "any" });
const { vm } = createClient(vmm.socketPath);
const measure = () => vm.measureGuest(
  { depth: 1 },
  { timeoutMs: Infinity },
).then(
  ({ steps }) => steps.toString(),
  (error) => error instanceof ApiError ? error.messages.join(", ") : error,
);
const before = await measure();
await vm.create({ payload: { kernel: "/boot/vmlinux" } });
await vm.boot();
console.log(JSON.stringify([before, await measure()]));
await vmm.close();
`;

/** The one file of the fake that needs a new operation. */
const OPERATIONS = "testing/operations/mod.ts";

let copy: string | undefined;
after(() => copy && rmSync(copy, { recursive: true }));

/** A copy of the project whose spec has one operation more, for all tests. */
function grown(): string {
  if (copy !== undefined) return copy;
  const directory = copy = copyProject("tests/project/exports_test.ts");
  edit(
    directory,
    "spec/cloud-hypervisor.yaml",
    (text) =>
      text.replace("  /vm.delete:\n", `${OPERATION}  /vm.delete:\n`)
        .replace("\n  schemas:", `\n  schemas:${SCHEMAS}`),
  );
  denoPasses(directory, "run", "-A", "--no-check", "codegen/generate.ts");
  return directory;
}

/** The output of a script under the runtime of this test. */
function output(cwd: string, ...script: string[]): Promise<string> {
  const args = "Deno" in globalThis ? ["run", "-A", "--no-check"] : [];
  const child = spawn(process.execPath, [...args, ...script], { cwd });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk) => text += chunk);
  }
  return new Promise((resolve) => child.on("close", () => resolve(text)));
}

/** Measures, then is out of its depth, then says nothing. */
const script: Script = (socket, request) => {
  const body = bodyOf(request);
  if (body === '{"depth":2}') return;
  socket.write(
    body === '{"depth":1}'
      ? reply(404, '["Error from API","The VM is not created"]')
      : reply(200, '{"steps":18446744073709551615}'),
  );
};

test("a new operation needs the spec and its types' names in mod.ts", async () => {
  const directory = grown();
  const exports = ["test", "-A", "--no-check", "tests/project/exports_test.ts"];
  const { status, output: text } = deno(directory, ...exports);
  assert.notEqual(status, 0);
  assert.match(text, /'GuestMeasure'/);
  assert.match(text, /'VmMeasureGuest'/);

  edit(
    directory,
    "mod.ts",
    (text) =>
      text.replace(
        '} from "./src/generated/types.gen.ts";',
        'GuestMeasure, VmMeasureGuest } from "./src/generated/types.gen.ts";',
      ),
  );
  denoPasses(directory, ...exports);
  writeFileSync(
    join(directory, "script.ts"),
    `import process from "node:process";${SCRIPT}`,
  );
  denoPasses(directory, "check", "--quiet", "mod.ts", "script.ts");

  await serving(script, async ({ path, requests }) => {
    assert.deepEqual(JSON.parse(await output(directory, "script.ts", path)), [
      "18446744073709551615",
      "not_created404",
      "invalid_request depth",
      "deadline50",
    ]);
    assert.deepEqual(requests.map((request) => request.split(" ")[0]), [
      ...["PUT", "PUT", "PUT"],
    ]);
    assert.equal(pathOf(requests[0]!), "/api/v1/vm.measure-guest");
    assert.equal(bodyOf(requests[0]!), '{"depth":9223372036854775808}');
  });
});

test("the fake needs a new operation in one file", async () => {
  const directory = grown();
  const { output: said } = deno(
    directory,
    "check",
    "--quiet",
    "testing/mod.ts",
  );
  const files = [...said.matchAll(/at file:\/\/\S+?\/(testing\/\S+?\.ts):/g)];
  assert.match(said, /'"vm\.measure-guest"' is missing/);
  assert.deepEqual(files.map(([, path]) => path), [OPERATIONS]);

  edit(
    directory,
    OPERATIONS,
    (text) =>
      text.replace(
        '  "vm.delete":',
        '  "vm.measure-guest": () => ({ steps: 3n }),\n  "vm.delete":',
      ),
  );
  writeFileSync(join(directory, "script.ts"), FAKE_SCRIPT);
  denoPasses(directory, "check", "--quiet", "testing/mod.ts", "script.ts");
  assert.deepEqual(JSON.parse(await output(directory, "script.ts")), [
    "Error from API, The guest could not be measured, VM is not running",
    "3",
  ]);
});
