/** Runs a program and whatever it starts, for a limited time. */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import process from "node:process";
import { BIN } from "./runtimes.ts";

export interface End {
  code: number | null;
  signal: string | null;
  /** The limit, if it was killed for being late. */
  lateMs?: number;
}

export interface Setting {
  root: string;
  env: Record<string, string>;
  /** The file that takes what it prints. */
  output: string;
}

/** Resolves when the program ends, and kills what that has left behind. */
export async function execute(
  program: string,
  args: string[],
  { root, env, output }: Setting,
  limitMs: number,
): Promise<End> {
  const log = openSync(output, "w");
  // A group of its own, so that all of it can be killed.
  const child = spawn(program, args, {
    cwd: root,
    detached: true,
    env: { ...inherited(), ...env },
    stdio: ["ignore", log, log],
  });
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch { /* Nothing is left of it. */ }
  };
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
    kill();
  };
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  let lateMs: number | undefined;
  const timer = setTimeout(() => {
    lateMs = limitMs;
    kill();
  }, limitMs);
  try {
    const end = await new Promise<End>((resolve, reject) => {
      child.once("error", reject);
      child.once(
        "exit",
        (code, signal) =>
          resolve({ code, signal, ...lateMs === undefined ? {} : { lateMs } }),
      );
    });
    if (interrupted) throw new Error("interrupted");
    return end;
  } finally {
    clearTimeout(timer);
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    kill();
    closeSync(log);
  }
}

/** The tests find the same runtimes, and no runner above them. */
function inherited(): Record<string, string | undefined> {
  const { NODE_TEST_CONTEXT: _, FORCE_COLOR: __, ...rest } = process.env;
  return { ...rest, PATH: `${BIN}:${process.env["PATH"]}`, NO_COLOR: "1" };
}
