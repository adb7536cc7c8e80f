/** The example of a fleet, as its README starts it, and its limits. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { EXAMPLES, processesOf } from "../support/script.ts";
import { testIf } from "../support/skip.ts";
import { inDirectory } from "../support/vmms.ts";

const FLEET = join(EXAMPLES, "fleet");
const SERVER = join(FLEET, "node_modules/@restatedev/restate-server");

const testWithEngine = testIf(
  existsSync(SERVER),
  "run npm install in examples/fleet: the engine has 224 MB",
);

testWithEngine(
  "the fleet keeps its VMs while its parts are killed",
  () =>
    inDirectory((directory) => {
      const runtime = "Deno" in globalThis ? ["run", "-A", "--no-check"] : [];
      const args = [...runtime, join(FLEET, "start.ts"), "4"];
      // Without PATH, so that the hosts do not find a real VMM there.
      const env = { ...process.env, PATH: "", TMPDIR: directory };
      delete (env as NodeJS.ProcessEnv)["CLOUD_HYPERVISOR"];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, {
        env,
        encoding: "utf8",
      });
      assert.equal(status, 0, stdout + stderr);
      const tables = stdout.split(/^\S.*: \d+\.\d s\n/m).slice(1)
        .map((text) => text.match(/vm\d+/g) ?? []);
      const all = ["vm0", "vm1", "vm2", "vm3"];
      const placed = tables.slice(0, -1).map((names) => names.toSorted());
      assert.deepEqual(placed, [all, all, all, all], stdout);
      assert.deepEqual(tables.at(-1), [], stdout);
      assert.match(stdout, /^host a drained: .*\n a: \n/m);
      assert.deepEqual(readdirSync(directory), []);
      assert.deepEqual(processesOf(directory), []);
    }),
);

test("the fleet stays short, and takes the packages that are tested", () => {
  const code = readdirSync(FLEET).filter((name) => name.endsWith(".ts"))
    .flatMap((name) => readFileSync(join(FLEET, name), "utf8").split("\n"))
    .filter((line) => !/^\s*(\/\/.*|\/\*\*.*|\*.*)?$/.test(line));
  assert.ok(code.length > 200 && code.length <= 450, `${code.length} lines`);
  const { dependencies } = read(join(FLEET, "package.json"));
  const { devDependencies } = read(join(EXAMPLES, "../package.json"));
  for (const name of ["restate-sdk", "restate-sdk-clients"]) {
    const version = dependencies![`@restatedev/${name}`];
    assert.equal(version, devDependencies![`@restatedev/${name}`]);
  }
});

function read(path: string): Record<string, Record<string, string>> {
  return JSON.parse(readFileSync(path, "utf8"));
}
