/** Runs a command line, and reports the outcome. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { ApiError, createClient } from "../../mod.ts";
import { parse, stringify } from "../../src/json/json.ts";
import {
  ProgramExit,
  startProgram,
} from "../../testing/command/start_program.ts";
import { releases } from "../../testing/release.ts";
import type { ReleaseName } from "../../testing/release_type.ts";
import {
  hasVm,
  type LineCase,
  type Outcome,
  placedLine,
} from "../support/line_cases.ts";

/** Runs the stand-in program in this process. */
export function tryInProcess(
  one: LineCase,
  release: ReleaseName,
): Promise<Outcome> {
  return inDirectory(one, async (argv, socketPath) => {
    try {
      const { vmm } = await startProgram(argv, releases[release], {});
      const info = await infoOf(socketPath);
      await vmm.terminate();
      const { code } = await vmm.exited;
      return { up: true, ...info && { info }, exit: code };
    } catch (error) {
      if (!(error instanceof ProgramExit)) throw error;
      return { up: false, exit: error.code, ...failureIn(error.stderr) };
    }
  });
}

/** Runs a program, such as a real VMM. */
export function tryProgram(
  one: LineCase,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  return inDirectory(one, async (argv, socketPath) => {
    const [program = "", ...first] = command;
    const child = spawn(program, [...first, ...argv], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    try {
      const end = endOf(child);
      const info = await untilUp(socketPath, hasVm(one), end);
      // Deno's `child.kill()` would report the signal in place of the code.
      if (info !== undefined) process.kill(child.pid!, "SIGTERM");
      const { exit, stderr } = await end.promise;
      return info === undefined
        ? { up: false, exit, ...failureIn(stderr) }
        : { up: true, info, exit };
    } finally {
      child.kill("SIGKILL");
    }
  });
}

async function inDirectory(
  one: LineCase,
  run: (argv: readonly string[], socketPath: string) => Promise<Outcome>,
): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), "line-"));
  try {
    const socketPath = join(directory, "api.sock");
    const line = placedLine(one, directory);
    const outcome = await run(
      ["--api-socket", `path=${socketPath}`, ...line],
      socketPath,
    );
    const text = stringify(outcome)!.replaceAll(directory, "$TMP");
    return parse(text) as Outcome;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface End {
  ended: boolean;
  promise: Promise<{ exit: number | string | null; stderr: string }>;
}

function endOf(child: ChildProcess): End {
  let stderr = "";
  child.stderr!.setEncoding("utf8");
  child.stderr!.on("data", (chunk) => stderr += chunk);
  child.stdout!.resume();
  const end: End = {
    ended: false,
    promise: new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => {
        end.ended = true;
        resolve({ exit: code ?? signal, stderr });
      });
    }),
  };
  return end;
}

/** `vm.info` of a VMM that is up; undefined if the process has ended. */
async function untilUp(
  socketPath: string,
  vm: boolean,
  end: { readonly ended: boolean },
): Promise<Outcome["info"]> {
  const start = performance.now();
  while (!end.ended) {
    const info = await infoOf(socketPath);
    const boots = info?.state === undefined || info.state === "Created";
    if (info !== undefined && !(vm && boots)) return info;
    if (performance.now() - start > UP_MS) throw new Error("the VM is not up");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return undefined;
}

const UP_MS = 60_000;

/** `vm.info` as the records have it; undefined while nobody answers. */
async function infoOf(socketPath: string): Promise<Outcome["info"]> {
  try {
    const { state, config } = await createClient(socketPath).vm.info();
    return { state, config: config as unknown as Record<string, unknown> };
  } catch (error) {
    if (error instanceof ApiError) return { status: error.status };
    return undefined;
  }
}

/** The first line of stderr that is no log, and the errors below it. */
function failureIn(
  stderr: string,
): Pick<Outcome, "stderrFirstLine" | "chain"> {
  const lines = stderr.split("\n");
  const at = lines.findIndex((line) => /^[Ee]rror: /.test(line));
  if (at < 0) return {};
  const stderrFirstLine = lines[at]!;
  if (!stderrFirstLine.startsWith("Error: ")) return { stderrFirstLine };
  const below = lines.slice(at + 1)
    .map((line) => /^ {2}(?:\d+: )?(\S.*)$/.exec(line)?.[1]);
  // A message can have several lines; a stack trace follows an empty one.
  const end = below.indexOf(undefined);
  const chain = below.slice(0, end < 0 ? undefined : end) as string[];
  return { stderrFirstLine, chain };
}
