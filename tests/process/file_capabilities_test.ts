/** parentDeathSignal beside a program with file capabilities. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fakeCommand } from "../../testing/mod.ts";
import { programCommand } from "../support/owner_script.ts";
import { testIf } from "../support/skip.ts";
import { inDirectory } from "../support/vmms.ts";

/** Drops all rights: root's programs get none from their files. */
const AS_NOBODY = ["--reuid=65534", "--regid=65534", "--clear-groups", "--"];
const REFUSED = programCommand("refused");

const reason = missing();

testIf(reason === undefined, reason ?? "")(
  "parentDeathSignal refuses a program with file capabilities",
  () =>
    inDirectory((directory) => {
      chmodSync(directory, 0o755);
      const program = join(directory, "program");
      copyFileSync(process.execPath, program);
      assert.ok(giveCapability(program));
      const temporary = join(directory, "temporary");
      for (const path of ["home", "temporary"]) {
        mkdirSync(join(directory, path));
        chmodSync(join(directory, path), 0o777);
      }
      const home = join(directory, "home");
      const env = {
        ...process.env,
        HOME: home,
        DENO_DIR: home,
        TMPDIR: temporary,
      };
      const command = [program, ...fakeCommand().slice(1)];
      const json = JSON.stringify({ command, parentDeathSignal: true });
      const { stdout } = asNobody([...REFUSED, json], env);
      assert.match(
        stdout,
        /^parentDeathSignal: the program has file capabilities, and the kernel/,
      );
      assert.deepEqual(readdirSync(temporary), []);
      assert.deepEqual(readdirSync("/proc").filter(runs(program)), []);
    }),
);

/** The reason why the test cannot run. */
function missing(): string | undefined {
  if (process.getuid?.() !== 0) return "only root can give capabilities";
  for (const tool of ["setcap", "setpriv"]) {
    if (spawnSync(tool, ["--help"]).error) return `the host has no ${tool}`;
  }
  const script = REFUSED.at(-1)!;
  if (asNobody(["head", "-c1", script]).status !== 0) {
    return "another user cannot read the project";
  }
  const directory = mkdtempSync(join(tmpdir(), "chv-test-"));
  try {
    chmodSync(directory, 0o755);
    const grep = join(directory, "grep");
    copyFileSync("/bin/grep", grep);
    const argv = [grep, "-q", "CapPrm.*[1-9a-f]", "/proc/self/status"];
    if (giveCapability(grep) && asNobody(argv).status === 0) return undefined;
    return "the host gives programs no capabilities of their files";
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function giveCapability(program: string): boolean {
  return spawnSync("setcap", ["cap_net_admin+ep", program]).status === 0;
}

function asNobody(argv: readonly string[], env = process.env) {
  const options = { env, encoding: "utf8" } as const;
  return spawnSync("setpriv", [...AS_NOBODY, ...argv], options);
}

/** True for the directory in /proc of a process that runs the program. */
function runs(program: string): (pid: string) => boolean {
  return (pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(program);
    } catch {
      return false;
    }
  };
}
