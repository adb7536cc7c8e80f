/** The table of operations against the spec, the recordings and the fake. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Endpoint, endpoints, readSpec } from "../../codegen/spec.ts";
import { errorsPage, generalCodes } from "../../codegen/pages/errors_page.ts";
import { operationsPage } from "../../codegen/pages/operations_page.ts";
import { withReleases } from "../../codegen/pages/releases.ts";
import { publicApiPage } from "../../codegen/pages/public_api_page.ts";
import project from "../../deno.json" with { type: "json" };
import { ApiError, type Client, createClient } from "../../mod.ts";
import { codeTable } from "../../src/errors/code_table.ts";
import { diagnose } from "../../src/errors/diagnosis.ts";
import { FakeVmm } from "../../testing/mod.ts";
import { releaseNames } from "../../testing/release.ts";
import { recordings } from "../support/recordings.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const spec = readSpec(join(ROOT, "spec/cloud-hypervisor.yaml"));
const all = endpoints(spec);

test("docs/operations.md is what `deno task docs` writes", () => {
  const page = readFileSync(join(ROOT, "docs/operations.md"), "utf8");
  assert.equal(page, operationsPage(spec, generalCodes(spec)));
  assert.equal(page.match(/^\| `(GET|PUT) \//gm)?.length, 31);
});

test("the tables of releases are what `deno task docs` writes", () => {
  for (const path of ["README.md", "docs/compatibility.md"]) {
    const page = readFileSync(join(ROOT, path), "utf8");
    assert.equal(page, withReleases(page, spec), path);
    const [, rows] = /releases: limits -->([^]*?)<!-- end/.exec(page)!;
    for (const { name, state } of spec.info["x-releases"]) {
      if (state === "tested") {
        assert.ok(rows!.includes(name), `${path}: ${name}`);
      }
    }
    const changed = page.replace(/^\| v\d+\.\d+ /m, "| v0.1 ");
    assert.notEqual(changed, withReleases(changed, spec));
  }
});

test("docs/errors.md is what `deno task docs` writes", () => {
  const page = readFileSync(join(ROOT, "docs/errors.md"), "utf8");
  assert.equal(page, errorsPage(spec));
  const codes = [...page.matchAll(/^\| `(\w+)`/gm)].map(([, code]) => code!);
  const listed = Object.keys(codeTable);
  // Classes share codes.
  const shown = new Set(codes.filter((code) => code !== "code"));
  assert.deepEqual([...shown].sort(), listed.sort());
});

test("docs/errors.md and README.md name each class of errors", () => {
  const api = readFileSync(join(ROOT, "docs/public-api.md"), "utf8");
  const classes = [
    ...api.matchAll(/^class (\w+) extends CloudHypervisorError/gm),
  ].map(([, name]) => name!);
  assert.ok(classes.length > 8, classes.join());
  for (const path of ["docs/errors.md", "README.md"]) {
    const page = readFileSync(join(ROOT, path), "utf8");
    for (const name of classes) {
      // README.md shows `./command-line` in one line.
      if (path === "README.md" && name === "CommandLineError") continue;
      assert.ok(page.includes(`\`${name}\``), `${path} lacks ${name}`);
    }
  }
});

test("docs/public-api.md is what `deno task docs` writes", () => {
  const page = readFileSync(join(ROOT, "docs/public-api.md"), "utf8");
  assert.equal(page, publicApiPage(project.exports));
  assert.match(page, /^ {2}boot\(options\?: CallOptions\): Promise<void>;$/m);
  // What is internal, or nobody can name.
  assert.doesNotMatch(page, /\bErrorContext|OperationEntry|#private/);
});

/** The recorded responses of an operation, such as `500 wrong_state`. */
const seen = new Map<string, Set<string>>(
  all.map(({ name }) => [name, new Set()]),
);
for (const { exchanges } of releaseNames.flatMap(recordings)) {
  for (const { method, path = "", response } of exchanges) {
    const name = path.replace("/api/v1/", "");
    const endpoint = all.find((one) => one.name === name);
    const { status, body, text } = response;
    if (endpoint === undefined || status === undefined) continue;
    // By another method than its own, an operation is no more than a path.
    const other = method !== endpoint.method;
    const chain = Array.isArray(body) ? body.map(String) : text ? [text] : [];
    const code = other || status < 300 ? "" : diagnose(status, chain).code;
    seen.get(name)!.add(`${status} ${code}`.trim());
  }
}

/** Codes that any call can end with. */
const ANYONE: readonly string[] = generalCodes(spec).map(([code]) => code);

test("every recorded status and code is in the spec", () => {
  let checked = 0;
  for (const endpoint of all) {
    const { name, responses, requestBody, "x-errors": codes } = endpoint;
    const since = endpoint["x-since"];
    for (const [status, code] of [...seen.get(name)!].map(words)) {
      assert.ok(status! in responses, `${name}: ${status}`);
      // A release or a build does not have the operation; or a body where
      // there is to be none; the client sends none.
      const listed = code === undefined || codes.includes(code) ||
        ANYONE.includes(code) ||
        (code === "unsupported" && since !== undefined) ||
        (code === "invalid_json" && !requestBody);
      assert.ok(listed, `${name}: ${code}`);
      checked++;
    }
  }
  assert.ok(checked > 100, `${checked}`);
});

/** Responses that no recording shows, and the source of each. */
const UNRECORDED: { readonly [what: string]: string } = {
  "vm.coredump wrong_state": "needs a boot that failed half-way",
  "vm.delete 500": "a VM that migrates; read from the source",
  "vmm.shutdown 500": "a VM that migrates; read from the source",
  "vm.power-button 204": "seen on a VMM whose answers are not recorded",
  "vm.nmi 204": "seen on a VMM whose answers are not recorded",
  "vm.receive-migration 204": "takes two VMMs; tests/workflows/migrate_test.ts",
  "vm.send-migration busy":
    "the memory of a restored VM is still being filled; measured once",
  "vm.snapshot busy":
    "the memory of a restored VM is still being filled; measured once",
  "vm.send-migration 204": "takes two VMMs; tests/workflows/migrate_test.ts",
  "vm.send-migration wrong_state": "needs a boot that failed half-way",
};

test("every status and code of the spec was recorded", () => {
  const missing: string[] = [];
  for (const endpoint of all) {
    const kin = all.filter((other) => akin(endpoint, other));
    const shown = new Set(
      kin.flatMap(({ name }) => [...seen.get(name)!]).flatMap(words),
    );
    const own = new Set([...seen.get(endpoint.name)!].flatMap(words));
    const said = [...Object.keys(endpoint.responses), ...endpoint["x-errors"]];
    for (const what of said) {
      const enough = SHARED.includes(what) || endpoint.name.includes(".add-")
        ? shown
        : own;
      if (!enough.has(what)) missing.push(`${endpoint.name} ${what}`);
    }
  }
  assert.deepEqual(missing.sort(), Object.keys(UNRECORDED).sort());
});

/** Responses of code that all operations of a kind share. */
const SHARED = ["400", "409", "invalid_json", "invalid_config", "duplicate_id"];

/** True if both operations answer by the same code. */
function akin(one: Endpoint, other: Endpoint): boolean {
  if (one.name.includes(".add-")) return other.name.includes(".add-");
  const validates = (endpoint: Endpoint): boolean =>
    "409" in endpoint.responses;
  return one.requestBody === undefined
    ? other.requestBody === undefined || (validates(one) && validates(other))
    : other.requestBody !== undefined;
}

function words(text: string): string[] {
  return text.split(" ");
}

/** Codes that say that the VM is not where it has to be. */
const MISPLACED = [
  "not_created",
  "not_running",
  "wrong_state",
  "already_exists",
];

/** A refusal for the state that says nothing of it. */
const ODD = "vm.resize-disk in Created";

/** The calls that lead to a state. */
const WAY: { readonly [state: string]: readonly string[] } = {
  None: [],
  Created: ["vm.create"],
  Running: ["vm.create", "vm.boot"],
  Paused: ["vm.create", "vm.boot", "vm.pause"],
};

for (const [state, way] of Object.entries(WAY)) {
  test(`the spec's states are the fake's: ${state}`, async () => {
    for (const { name, "x-states": states } of all) {
      const fake = await FakeVmm.start({ files: "any" });
      const client = createClient(fake.socketPath);
      for (const step of way) assert.equal(await outcome(client, step), "done");
      const code = await outcome(client, name);
      if (`${name} in ${state}` === ODD) assert.equal(code, "other");
      else {
        const there = !MISPLACED.includes(code);
        assert.equal(there, states.includes(state), `${name}: ${code}`);
      }
      await fake.close();
    }
  });
}

/** The code of a call's refusal, or that it was done. */
function outcome(client: Client, name: string): Promise<string> {
  const { operationId } = all.find((one) => one.name === name)!;
  const [group, method] = operationId.split(".") as ["vm" | "vmm", string];
  const api = client[group] as unknown as Methods;
  return api[method]!(BODIES[name]).then(
    () => "done",
    (error) => error instanceof ApiError ? error.code : String(error),
  );
}

type Methods = Record<string, (body: unknown) => Promise<unknown>>;

/** Something to send, which need not succeed. */
const BODIES: { readonly [name: string]: unknown } = {
  "vm.create": { payload: { kernel: "/vmlinux" }, disks: [{ path: "/a.raw" }] },
  "vm.resize": {},
  "vm.resize-disk": { id: "_disk0", desired_size: 1 << 30 },
  "vm.resize-zone": { id: "zone", desired_ram: 1 << 30 },
  "vm.add-device": { path: "/sys/bus/pci/devices/0000:01:00.0" },
  "vm.remove-device": { id: "_disk0" },
  "vm.add-disk": { path: "/b.raw" },
  "vm.add-fs": { tag: "fs", socket: "/fs.sock" },
  "vm.add-generic-vhost-user": {
    socket: "/gpu.sock",
    device_type: 16,
    queue_sizes: [64],
  },
  "vm.add-pmem": { file: "/pmem", size: 1 << 21 },
  "vm.add-net": { tap: "tap0" },
  "vm.add-vsock": { cid: 3, socket: "/vsock" },
  "vm.add-vdpa": { path: "/dev/vhost-vdpa-0" },
  "vm.add-user-device": { socket: "/device.sock" },
  "vm.snapshot": { destination_url: "file:///snapshot" },
  "vm.coredump": { destination_url: "file:///core" },
  "vm.restore": { source_url: "file:///snapshot" },
  "vm.receive-migration": { receiver_url: "unix:/nowhere/migration" },
  "vm.send-migration": { destination_url: "unix:/nowhere/migration" },
};
