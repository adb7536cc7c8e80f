/** The npm package in a project of its own, as who installs it has it. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import project from "../../deno.json" with { type: "json" };
import own from "../../package.json" with { type: "json" };
import { testIf } from "../support/skip.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BIN = join(ROOT, "node_modules/.bin");
const NODE_22 = `node-linux-${process.arch}@22.18.0`;
const TYPES = `@types/node@${own.devDependencies["@types/node"]}`;

/** The entry that is a program; importing it would run it. */
const PROGRAM = "./testing/cloud-hypervisor";
const modules = Object.keys(project.exports)
  .filter((entry) => entry !== PROGRAM)
  .map((entry) => entry.replace(".", project.name));

function reached(): boolean {
  const args = ["view", NODE_22, "version"];
  return spawnSync("npm", args, { timeout: 20_000 }).status === 0;
}

function run(cwd: string, program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    encoding: "utf8",
  });
  assert.equal(status, 0, `${program} ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

const out = mkdtempSync(join(tmpdir(), "chv-tarball-"));
after(() => rmSync(out, { recursive: true }));
let tarball: string | undefined;

/** Makes the tarball by the task that the release uses, once. */
function packed(): string {
  if (tarball !== undefined) return tarball;
  const args = ["run", "-A", "tools/pack.ts", "--repository", "a/b"];
  return tarball = run(ROOT, join(BIN, "deno"), ...args, "--out", out).trim();
}

/** Imports every entry, and makes a call to a fake. */
const SCRIPT = `
import { createClient } from "${project.name}";
import { fakeCommand, FakeVmm } from "${project.name}/testing";
import { execFileSync } from "node:child_process";

const empty = [];
for (const name of ${JSON.stringify(modules)}) {
  if (Object.keys(await import(name)).length === 0) empty.push(name);
}
const vmm = await FakeVmm.start({ files: "any" });
const { vm } = createClient(vmm.socketPath);
await vm.create({ payload: { kernel: "/k" } });
await vm.boot();
const { state } = await vm.info();
const { code } = await vm.create({ payload: {} }).catch((error) => error);
await vmm.close();
const [program, ...args] = [...fakeCommand(), "--version"];
const version = execFileSync(program, args, { encoding: "utf8" });
console.log(JSON.stringify([empty, state, code, version.split(" ")[0]]));
`;

/** Uses types from the entries, none of which may be \`any\`. */
const TYPED = `
import { ApiError, type Client, createClient, type VmConfig } from "${project.name}";
import { readEvents } from "${project.name}/events";
import { type VmmProcess, spawnVmm } from "${project.name}/process";
import { createSdk, type SocketSdk } from "${project.name}/sdk";
import { FakeVmm, type Fault } from "${project.name}/testing";
import { snapshotVm } from "${project.name}/workflows";
${modules.map((name, i) => `import * as entry${i} from "${name}";`).join("\n")}

type Typed<T> = 0 extends 1 & T ? never : T;
${
  modules.map((_, i) =>
    `export const is${i}: Typed<typeof entry${i}> = entry${i};`
  )
    .join("\n")
}

const config: VmConfig = { payload: { kernel: "/k" }, memory: { size: 1n << 30n } };
const client: Client = createClient("/run/a.sock");
await client.vm.create(config);
const { state } = await client.vm.info();
export const text: Typed<typeof state> = state;
const counters = await client.vm.counters();
export const count: bigint | undefined = counters?.["_disk0"]?.["read_bytes"];
for await (const { source } of readEvents("/run/events")) source satisfies string;
const vmm: Typed<VmmProcess> = await spawnVmm({ config });
await snapshotVm(vmm, "/var/backup");
export const sdk: Typed<SocketSdk> = createSdk("/run/a.sock");
const fake: Typed<FakeVmm> = await FakeVmm.start({ files: "any" });
export const fault: Fault = { status: 500, chain: ["no"] };
export const code = (error: unknown): string | undefined =>
  error instanceof ApiError ? error.code : undefined;
// @ts-expect-error: a size is no text.
await client.vm.create({ payload: {}, memory: { size: "1G" } });
fake.close() satisfies Promise<void>;
`;

testIf(
  "Deno" in globalThis && reached(),
  "Deno runs it alone, where npm reaches its registry",
)("the npm package works and has types in a project of its own", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "chv-package-"));
  const home = join(directory, "project");
  mkdirSync(home);
  const manifest = { name: "user", private: true, type: "module" };
  writeFileSync(join(home, "package.json"), JSON.stringify(manifest));
  const quiet = ["--no-audit", "--no-fund", "--prefer-offline"];
  run(home, "npm", "install", ...quiet, packed(), NODE_22, TYPES);
  writeFileSync(join(home, "script.mjs"), SCRIPT);
  const program = join(home, "node_modules/.bin/fake-cloud-hypervisor");
  assert.match(run(home, program, "--version"), /^cloud-hypervisor v/);
  writeFileSync(join(home, "typed.mts"), TYPED);

  const runs: Record<string, string[]> = {
    "Node 22.18": [join(home, "node_modules/.bin/node")],
    "Node 24": [join(BIN, "node")],
    Bun: [join(BIN, "bun")],
    Deno: [join(BIN, "deno"), "run", "-A", "--node-modules-dir=manual"],
  };
  for (const [title, [program, ...args]] of Object.entries(runs)) {
    await t.test(`every entry is imported by ${title}`, () => {
      const said = run(home, program!, ...args, "script.mjs");
      assert.deepEqual(JSON.parse(said), [
        [],
        "Running",
        "already_exists",
        "cloud-hypervisor",
      ]);
    });
  }

  const resolutions = { bundler: "preserve", nodenext: "nodenext" };
  for (const [resolution, module] of Object.entries(resolutions)) {
    await t.test(`tsc finds the types by ${resolution}`, () => {
      const compilerOptions = {
        ...{ module, moduleResolution: resolution, target: "esnext" },
        ...{ strict: true, exactOptionalPropertyTypes: true, noEmit: true },
        ...{ skipLibCheck: false, types: ["node"], lib: ["esnext"] },
      };
      const settings = { compilerOptions, files: ["typed.mts"] };
      writeFileSync(join(home, "tsconfig.json"), JSON.stringify(settings));
      run(home, join(BIN, "node"), join(BIN, "tsc"), "-p", ".");
    });
  }
  rmSync(directory, { recursive: true });
});

testIf("Deno" in globalThis, "Deno runs it alone")(
  "the npm package holds compiled code, its types and its papers",
  () => {
    const directory = mkdtempSync(join(tmpdir(), "chv-unpacked-"));
    execFileSync("tar", ["-xzf", packed(), "-C", directory]);
    const home = join(directory, "package");
    const files = (readdirSync(home, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) =>
        join(entry.parentPath, entry.name).slice(home.length + 1)
      );
    const papers = ["CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md"];
    const others = files.filter((path) =>
      !/^((mod|src\/.*|testing\/.*)\.(js|d\.ts)|(docs|examples)\/[\w.-]+)$/
        .test(path)
    );
    assert.deepEqual(others.sort(), [...papers, "package.json"]);
    for (const path of ["docs/vmm.md", "examples/first.ts"]) {
      assert.ok(files.includes(path), path);
    }

    const made = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
    const { exports, ...fields } = made;
    assert.deepEqual(fields, {
      name: project.name,
      version: project.version,
      type: "module",
      license: project.license,
      main: "./mod.js",
      types: "./mod.d.ts",
      bin: { "fake-cloud-hypervisor": "./testing/cloud-hypervisor.js" },
      sideEffects: false,
      homepage: "https://github.com/a/b#readme",
      bugs: "https://github.com/a/b/issues",
      description: own.description,
      keywords: own.keywords,
      engines: own.engines,
      repository: { type: "git", url: "git+https://github.com/a/b.git" },
    });
    const entries = Object.keys(project.exports);
    assert.deepEqual(
      Object.keys(exports),
      entries.filter((entry) => entry !== PROGRAM),
    );
    for (
      const path of Object.values(exports).flatMap((x) => Object.values(x!))
    ) {
      assert.ok(files.includes(path.slice(2)), path);
    }

    // Nothing of the machine or the sources that stay behind.
    for (const path of files) {
      const text = readFileSync(join(home, path), "utf8");
      if (!path.startsWith("docs/")) {
        assert.doesNotMatch(text, /sourceMappingURL|file:\/\/\/\w/, path);
      }
      assert.ok(!text.includes(ROOT), path);
      if (/\.(js|d\.ts)$/.test(path)) {
        assert.doesNotMatch(text, /(from|import\() ?"\.[^"]*\.ts"/, path);
      }
    }
    for (const page of files.filter((path) => path.endsWith(".md"))) {
      const text = readFileSync(join(home, page), "utf8");
      if (page !== "CHANGELOG.md") assert.doesNotMatch(text, /from "jsr:/);
      const links = [...text.matchAll(/(?:\]\(|^\[[^\]]+\]: )([^)\s#]+)/gm)]
        .map(([, target]) => target!)
        .filter((target) => !/^https?:/.test(target));
      if (page === "README.md") assert.deepEqual(links, []);
      for (const target of links) {
        const path = join(home, page, "..", target);
        assert.ok(existsSync(path), `${page}: ${target}`);
      }
    }
    rmSync(directory, { recursive: true });
  },
);

test("package.json has deno.json's entries, and leaves it the version", () => {
  assert.equal(own.name, project.name);
  assert.equal(own.license, project.license);
  assert.deepEqual(own.exports, project.exports);
  assert.ok(!("version" in own));
});
