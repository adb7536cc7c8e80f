/** Examples as their users run them: as a script, or compiled. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { fakeCommand } from "../../testing/mod.ts";

export const EXAMPLES: string = fileURLToPath(
  new URL("../../examples/", import.meta.url),
);

/** The runtime and the VMM of an example. */
export interface Form {
  readonly name: string;
  /** Compiled to one file first. */
  readonly compiled?: boolean;
  /** The real VMM's path; else the fake. */
  readonly binary?: string;
}

/** Runs an example in a directory, and checks what it does. */
export type Recipe = (directory: string, form: Form) => Promise<void>;

export interface Script {
  readonly stdin: Writable;
  signal(name: NodeJS.Signals): void;
  /** Resolves to the first match of its output, and rejects if it ends. */
  printed(wanted: RegExp): Promise<RegExpMatchArray>;
  /** Resolves to the output, once the script has ended with this. Default: 0. */
  ended(code?: number | NodeJS.Signals): Promise<string>;
}

/** Starts an example; what it makes goes to a directory that is left empty. */
export function start(
  name: string,
  args: readonly string[],
  directory: string,
  form: Form,
  env: Readonly<Record<string, string>> = {},
): Script {
  const scratch = join(directory, "scratch");
  mkdirSync(scratch, { recursive: true });
  const [program, ...first] = form.compiled
    ? [compiled(name, directory)]
    : [process.execPath, ...permissions(name), join(EXAMPLES, `${name}.ts`)];
  // Without PATH, so that the example does not find a real VMM there.
  const given: NodeJS.ProcessEnv = {
    ...process.env,
    PATH: "",
    TMPDIR: scratch,
    ...env,
  };
  delete given["CLOUD_HYPERVISOR"];
  if (form.binary) given["CLOUD_HYPERVISOR"] = form.binary;
  // A program of one file cannot start the fake's.
  else if (form.compiled) given["CLOUD_HYPERVISOR"] = fakeBinary(directory);
  const child = spawn(program!, [...first, ...args], { env: given });
  running.add(child);
  let text = "";
  let look = (): void => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      look();
    });
  }
  const closed = new Promise<number | NodeJS.Signals>((resolve) =>
    child.on("close", (code, signal) => {
      running.delete(child);
      resolve(code ?? signal!);
    })
  );
  return {
    stdin: child.stdin,
    // After child.kill(), Deno reports that signal whatever the end was.
    signal: (name) => void process.kill(child.pid!, name),
    printed: (wanted) =>
      new Promise((resolve, reject) => {
        look = () => {
          const found = wanted.exec(text);
          if (found) resolve(found);
        };
        look();
        closed.then(() => reject(new Error(`no ${wanted} in: ${text}`)));
      }),
    async ended(code = 0) {
      assert.equal(await closed, code, text);
      assert.deepEqual(readdirSync(scratch), [], text);
      // One that was killed by a script that is ending takes a moment.
      while (processesOf(scratch).length > 0) await delay(10);
      return text;
    },
  };
}

const running = new Set<ChildProcess>();

/** Ends those that a test that failed has left. */
export function killScripts(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** The permissions of Deno that the first comment names, else all. */
function permissions(name: string): string[] {
  if (!("Deno" in globalThis)) return [];
  const text = readFileSync(join(EXAMPLES, `${name}.ts`), "utf8");
  const line = new RegExp(`^ \\* +deno run (.*) ${name}\\.ts\\b`, "m");
  const flags = line.exec(text)?.[1]?.split(" ") ?? ["-A"];
  return ["run", "--no-check", "--no-prompt", ...flags];
}

function compiled(name: string, directory: string): string {
  const output = join(directory, `${name}.bin`);
  const source = join(EXAMPLES, `${name}.ts`);
  const args = "Deno" in globalThis
    ? ["compile", "-A", "--no-check", "--quiet", "--output", output, source]
    : ["build", "--compile", source, "--outfile", output];
  const built = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.equal(built.status, 0, built.stdout + built.stderr);
  return output;
}

/** The fake as one program, for scripts that were given a real one. */
export function fakeBinary(directory: string): string {
  const path = join(directory, "fake");
  const command = fakeCommand().map((word) => `'${word}'`).join(" ");
  writeFileSync(path, `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
  return path;
}

/** The processes that were started with a path in the directory. */
export function processesOf(directory: string): string[] {
  return readdirSync("/proc").filter((entry) => /^\d+$/.test(entry)).map(
    (pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        return "";
      }
    },
  ).filter((line) => line.includes(directory));
}
