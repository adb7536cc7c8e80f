/** The problems of validate(), compared with the refusals of VMMs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { releaseNames } from "../../testing/release.ts";
import type { ReleaseName } from "../../testing/release_type.ts";
import { ConnectionError, createClient } from "../../mod.ts";
import type { JsonSchema, Problem, RequestName } from "../../src/schema/mod.ts";
import { jsonSchema, validate } from "../../src/schema/mod.ts";
import { requests } from "../../src/generated/requests.gen.ts";
import { schemas } from "../../src/generated/schemas.gen.ts";
import { type Body, broken, cpus, memory, small } from "./broken_configs.ts";
import { asyncProperty, holds } from "../support/property.ts";
import { recordings } from "../support/recordings.ts";

test("validate() finds nothing in what real VMMs took", () => {
  let looked = 0;
  for (const { body, operation, status, scenario, release } of recorded()) {
    // Where it was recorded that unknown keys are ignored.
    if (status >= 300 || scenario === "bad bodies") continue;
    const found = validate(body, operation, { release });
    if (found.some(isLack)) continue;
    assert.deepEqual(found, [], JSON.stringify(body));
    looked++;
  }
  assert.ok(looked > 40, `${looked} requests`);
});

/** Depends on the VM that the device is added to. */
const NEEDS_VM =
  /shared memory or huge pages|Identifier d0 is not unique|PCI segment/;

test("validate() finds what real VMMs could not read or would not have", () => {
  let looked = 0;
  for (const { body, operation, answer } of recorded()) {
    if (!/deserialize|validate config|Could not extract/.test(answer)) continue;
    if (NEEDS_VM.test(answer)) continue;
    assert.notDeepEqual(validate(body, operation), [], JSON.stringify(body));
    looked++;
  }
  assert.ok(looked > 5, `${looked} requests`);
});

test("validate() says where a configuration breaks which rule", () => {
  const configs = [
    ...broken,
    ...memory.map(([config, ...rest]) =>
      [{ memory: config }, ...rest] as const
    ),
  ];
  for (const [config, message, path] of configs) {
    const problems = validate({ ...small, ...config });
    if (path === "") assert.deepEqual(problems, []);
    else {
      const found = problems.some((problem) =>
        problem.path === path &&
        (problem.code !== "broken_rule" || problem.message.includes(message))
      );
      assert.ok(found, `${path}: ${message}: ${JSON.stringify(problems)}`);
    }
  }
});

test("validate() finds what a boot refuses, and nothing else", async () => {
  const pool = broken.filter(([, , path]) => path !== "")
    .map(([config]) => config);
  const configs = fc.subarray([...pool, ...FINE], { maxLength: 3 })
    .map((parts): Body => Object.assign({ ...small }, ...parts));
  for (const release of releaseNames) {
    const boots = await booting(release);
    try {
      await holds(
        asyncProperty(configs, async (config) => {
          const refused = await boots.refuse(config);
          const found = validate(config, "vm.create", { release });
          if (found.some(isLack)) return;
          assert.equal(found.length > 0, refused);
        }),
      );
    } finally {
      await boots.close();
    }
  }
});

/** Configurations that boot. */
const FINE: readonly Body[] = [
  { disks: [{ path: "/a", id: "a" }, { path: "/b", readonly: true }] },
  { net: [{ mac: "02:00:00:00:00:01", ip: "10.0.0.1", mask: "255.0.0.0" }] },
  { net: [{ mtu: null, id: null }] },
  { cpus: { ...cpus, boot_vcpus: 2, max_vcpus: 4 } },
  { memory: { size: 1n << 30n, shared: true } },
  { memory: { size: 0, zones: [{ id: "z", size: 1 << 29, shared: true }] } },
  { balloon: { size: 1 << 20 } },
  { rng: { src: "/dev/random" }, watchdog: true },
  { vsock: { cid: 3, socket: "/v" } },
];

test("validate() finds each key that is misspelt", () => {
  let looked = 0;
  for (const { operation, body, schema, path } of places()) {
    for (const name of Object.keys(schema.properties ?? {})) {
      const cut = name.length >> 1;
      const misspelt = name.slice(0, cut) + "x" + name.slice(cut + 1);
      const found = validate(body({ [misspelt]: 1 }), operation)
        .find(({ code }) => code === "unknown_key");
      assert.equal(found?.path, path === "" ? misspelt : `${path}.${misspelt}`);
      const suggested = found.suggestion ?? "";
      // Of a short name, another can be as near.
      if (name.length > 4) assert.equal(suggested, name);
      else if (suggested !== "") assert.ok(suggested in schema.properties!);
      looked++;
    }
  }
  assert.ok(looked > 250, `${looked} keys`);
});

test("validate() keeps the bounds of each number", () => {
  let looked = 0;
  for (const { operation, body, schema, path } of places()) {
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      if (![property.type].flat().includes("integer")) continue;
      const at = path === "" ? name : `${path}.${name}`;
      const wrong = (value: number | bigint) =>
        validate(body({ [name]: value }), operation)
          .find((problem) => problem.path === at)?.code === "out_of_range";
      const low = BigInt(property.minimum!);
      const most = BigInt(property.maximum!);
      // 2^64-1 stands as the number beside it.
      const high = most > 2n ** 53n ? most - 1n : most;
      assert.deepEqual(
        [low - 1n, low, high, high + 1n].map(wrong),
        [true, false, false, true],
        at,
      );
      if (high < 2n ** 53n) assert.ok(wrong(Number(high) + 1), at);
      looked++;
    }
  }
  assert.ok(looked > 80, `${looked} numbers`);
});

test("validate() takes integers of both kinds, and no others", () => {
  const at = (size: unknown) => validate({ ...small, memory: { size } });
  assert.deepEqual(at(1 << 29), []);
  assert.deepEqual(at(1n << 29n), []);
  for (const size of [0.5, NaN, Infinity, 2 ** 53, "1", true, null, [], {}]) {
    const [problem] = at(size);
    assert.equal(problem?.code, "wrong_type", String(size));
    assert.equal(problem.path, "memory.size");
  }
  assert.match(at(2 ** 53)[0]!.message, /write it as a bigint/);
});

test("validate() finds half of a surrogate pair", () => {
  const [problem] = validate({ ...small, disks: [{ path: "/\ud800" }] });
  assert.equal(problem?.path, "disks[0].path");
});

test("validate() looks at what JSON would carry", () => {
  const config = { ...small, disks: undefined, net: [{ toJSON: () => ({}) }] };
  assert.deepEqual(validate(config), []);
  assert.deepEqual(config.disks, undefined);
  assert.equal(Object.keys(config).length, 5);
});

test("validate() is not led astray by keys of objects, depth or cycles", () => {
  const keys = JSON.parse('{"__proto__":{"disks":1},"constructor":2}');
  assert.deepEqual(
    validate({ ...small, ...keys, ["__proto__"]: 3 }).map(({ path }) => path),
    ["__proto__", "constructor"],
  );
  assert.equal(({} as Body)["disks"], undefined);
  const endless: Body = { ...small };
  endless["disks"] = [endless];
  assert.deepEqual(validate(endless), [
    {
      path: "disks[0]",
      code: "too_deep",
      message: "contains a circular reference",
    },
  ]);
  let deep: unknown = {};
  for (let depth = 0; depth < 10_000; depth++) deep = [deep];
  assert.deepEqual(
    validate({ deep }).map(({ code }) => code),
    ["too_deep"],
  );
});

test("validate() finds what a boot cannot build, and texts of no form", () => {
  const paths = (config: Body) =>
    validate({ ...small, ...config }).map(({ path }) => path);
  const node = { guest_numa_id: 0, cpus: [0] };
  assert.deepEqual(paths({ numa: [node, { ...node, cpus: [1] }] }), [
    "numa[1].guest_numa_id",
  ]);
  assert.deepEqual(paths({ numa: [{ ...node, memory_zones: ["z"] }] }), [
    "numa[0].memory_zones[0]",
  ]);
  const to = { destination: 1, distance: 20 };
  assert.deepEqual(paths({ numa: [{ ...node, distances: [to] }] }), [
    "numa[0].distances[0].destination",
  ]);
  const both = { ip: "10.0.0.256", mask: "::g" };
  assert.deepEqual(paths({ net: [{ mac: "02-00-00-00-00-01", ...both }] }), [
    "net[0].mac",
    "net[0].ip",
    "net[0].mask",
  ]);
  const [bad] = validate({ host_mac: "x" }, "vm.add-net");
  assert.equal(bad?.path, "host_mac");
});

test("validate() suggests what is near, and nothing that is not", () => {
  const meant = (key: string) =>
    validate({ ...small, disks: [{ [key]: 1 }] })[0]!.suggestion;
  assert.equal(meant("readOnly"), "readonly");
  assert.equal(meant("num-queues"), "num_queues");
  assert.equal(meant("qeue_szie"), "queue_size");
  assert.equal(meant("direkt"), "direct");
  assert.equal(meant("patth"), "path");
  assert.equal(meant("format"), undefined);
  assert.equal(meant(""), undefined);
  const [mode] = validate({ ...small, serial: { mode: "file" } });
  assert.equal(mode?.suggestion, "File");
});

test("validate() names what stops the VMM", () => {
  const codes = (body: unknown, operation?: RequestName) =>
    validate(body, operation).map(({ path, code }) => `${path} ${code}`);
  assert.deepEqual(codes({ ...small, serial: { mode: "File" } }), [
    "serial.file fatal",
  ]);
  assert.deepEqual(
    codes({ receiver_url: "tcp:localhost:1" }, "vm.receive-migration"),
    ["receiver_url fatal"],
  );
});

test("validate() and jsonSchema() refuse operations without a body", () => {
  for (const name of ["vm.info", "toString", ""]) {
    assert.throws(() => validate({}, name as RequestName), RangeError);
    assert.throws(() => jsonSchema(name as RequestName), RangeError);
  }
});

test("jsonSchema() is whole, and one's own", () => {
  for (const name of Object.keys(requests)) {
    const schema = jsonSchema(name as RequestName);
    const text = JSON.stringify(schema);
    assert.doesNotMatch(text, /"x-/);
    for (const [, ref] of text.matchAll(/"\$ref":"#\/\$defs\/(\w+)"/g)) {
      assert.ok(schema.$defs![ref!]?.title === ref, ref);
    }
  }
  const disk = (schema: JsonSchema) =>
    schema.$defs!["DiskConfig"]!.properties!["readonly"]!;
  Object.assign(disk(jsonSchema()), { default: true });
  assert.equal(disk(jsonSchema()).default, false);
});

test("jsonSchema() is of draft 2020-12, and says the same to others", () => {
  const ajv = new Ajv2020({ allowUnionTypes: true });
  let looked = 0;
  for (const name of Object.keys(requests) as RequestName[]) {
    const schema = jsonSchema(name);
    assert.equal(ajv.validateSchema(schema), true, ajv.errorsText());
    const check = ajv.compile(schema);
    for (const { operation, body, status, scenario } of recorded()) {
      const known = scenario !== "bad bodies";
      if (operation !== name || status >= 300 || !known) continue;
      assert.equal(check(body), true, ajv.errorsText(check.errors));
      assert.equal(check({ ...body as Body, bogus: 1 }), false);
      looked++;
    }
  }
  assert.ok(looked > 40, `${looked} requests`);
});

/** True for a key that the release ignores, because only newer ones have it. */
function isLack({ code, message }: Problem): boolean {
  return code === "unknown_key" && / before v/.test(message);
}

interface Recorded {
  release: ReleaseName;
  scenario: string;
  operation: RequestName;
  body: unknown;
  status: number;
  answer: string;
}

function* recorded(): Generator<Recorded> {
  for (const release of releaseNames) {
    for (const { scenario, exchanges } of recordings(release)) {
      for (const [index, exchange] of exchanges.entries()) {
        const { path = "", body, response } = exchange;
        const operation = path.replace("/api/v1/", "") as RequestName;
        if (body === undefined || !Object.hasOwn(requests, operation)) continue;
        // A VMM checks a configuration when the VM boots.
        const next = exchanges[index + 1];
        const boots = next?.path === "/api/v1/vm.boot" &&
          next.response.status === 204;
        if (operation === "vm.create" && response.status === 204 && !boots) {
          continue;
        }
        const { status = 0, body: answer } = response;
        const text = JSON.stringify(answer);
        yield { release, scenario, operation, body, status, answer: text };
      }
    }
  }
}

/** A place in a request where an object stands. */
interface Place {
  readonly operation: RequestName;
  readonly path: string;
  readonly schema: JsonSchema;
  /** A request with this object in that place. */
  readonly body: (object: Body) => unknown;
}

function* places(): Generator<Place> {
  for (const [operation, root] of Object.entries(requests)) {
    yield* placesIn(operation as RequestName, root!, "", (object) => object);
  }
}

function* placesIn(
  operation: RequestName,
  name: string,
  path: string,
  body: Place["body"],
): Generator<Place> {
  const schema = schemas[name]!;
  yield { operation, path, schema, body };
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const list = property.items !== undefined;
    const target = property.items ?? property.anyOf?.[0] ?? property;
    if (target.$ref === undefined) continue;
    const inner = target.$ref.replace("#/$defs/", "");
    if (schemas[inner]!.properties === undefined) continue;
    const at = (path === "" ? key : `${path}.${key}`) + (list ? "[0]" : "");
    yield* placesIn(
      operation,
      inner,
      at,
      (object) => body({ [key]: list ? [object] : object }),
    );
  }
}

/** Creates and boots configurations on the fake. */
async function booting(release: ReleaseName) {
  const { FakeVmm } = await import("../../testing/mod.ts");
  const start = () => FakeVmm.start({ release, files: "any" });
  let vmm = await start();
  return {
    async refuse(config: Body): Promise<boolean> {
      const { vm } = createClient(vmm.socketPath, { allowFatal: true });
      // The client refuses a descriptor before it is sent.
      const refused = await vm.create(config as never).then(() => vm.boot())
        .then(() => false, () => true);
      try {
        await vm.delete();
      } catch (error) {
        // A configuration can end an older release.
        if (!(error instanceof ConnectionError)) throw error;
        await vmm.close();
        vmm = await start();
      }
      return refused;
    },
    close: () => vmm.close(),
  };
}
