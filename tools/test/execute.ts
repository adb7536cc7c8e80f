/** Runs a program, with all that it starts, for a limited time. */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import process from "node:process";
import { BIN } from "./runtimes.ts";

export interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
  isLate: boolean;
}

export interface Options {
  cwd: string;
  env: Record<string, string>;
  /** The file that takes the program's output. */
  output: string;
  limitMs: number;
}

/** Resolves when the program has ended, and kills what it has left behind. */
export async function execute(
  program: string,
  args: string[],
  { cwd, env, output, limitMs }: Options,
): Promise<End> {
  // The tests find the same runtimes, and no test runner above them.
  const { NODE_TEST_CONTEXT: _, FORCE_COLOR: __, ...rest } = process.env;
  const PATH = `${BIN}:${rest["PATH"]}`;
  const log = openSync(output, "w");
  const child = spawn(program, args, {
    cwd,
    // A process group of its own, so that all of it can be killed.
    detached: true,
    env: { ...rest, PATH, NO_COLOR: "1", ...env },
    stdio: ["ignore", log, log],
  });
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch { /* The group has ended. */ }
  };
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    kill();
  }, limitMs);
  const interrupt = (): never => {
    kill();
    process.exit(130);
  };
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    return await new Promise<End>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) => resolve({ code, signal, isLate }));
    });
  } finally {
    clearTimeout(timer);
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    kill();
    closeSync(log);
  }
}
