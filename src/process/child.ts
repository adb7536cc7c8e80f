/** The process itself. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import process from "node:process";
import { InvalidRequestError, type VmmExit } from "../errors/errors.ts";
import type { SpawnVmmOptions } from "./options.ts";
import type { VmmDirectory } from "./vmm_directory.ts";

/** A VMM process of the script's own. */
export interface Child {
  readonly pid: number;
  /** Resolves when it has ended. */
  readonly exited: Promise<VmmExit>;
  /** Whether it is not known to have ended. */
  running(): boolean;
  /** Signals it and what it has started, unless it has ended. */
  signal(name: "SIGTERM" | "SIGKILL"): void;
}

/**
 * Starts the program, in a session of its own, so that the terminal's Ctrl-C
 * reaches the script alone.
 *
 * @throws {InvalidRequestError} `command` when it cannot be run.
 */
export async function launch(
  [program, ...args]: readonly [string, ...string[]],
  options: SpawnVmmOptions,
  place: VmmDirectory,
  started: (child: Child) => void,
): Promise<Child> {
  const stderr = place.createFile(place.stderrPath);
  try {
    closeSync(place.createFile(place.eventsPath));
    const { env, fds = [], stdout = "ignore" } = options;
    const child = spawn(program, args, {
      stdio: ["ignore", stdout, stderr, ...fds],
      detached: true,
      ...env && { env: { ...process.env, ...env } },
    });
    return await watched(child, program, place, started);
  } finally {
    closeSync(stderr);
  }
}

async function watched(
  child: ChildProcess,
  program: string,
  place: VmmDirectory,
  started: (child: Child) => void,
): Promise<Child> {
  const { pid } = child;
  const { promise: exited, resolve } = Promise.withResolvers<VmmExit>();
  let running = true;
  const ended = (exitCode: number | null, signal: string | null): void => {
    running = false;
    resolve({ exitCode, signal, stderr: place.stderr() });
  };
  child.once("exit", ended);
  if (pid === undefined) {
    const [error] = await new Promise<[Error]>((resolve) => {
      child.once("error", (error) => resolve([error]));
    });
    throw notRun(program, error);
  }
  const own: Child = {
    pid,
    exited,
    running: () => running,
    signal(name) {
      if (running) kill(child, pid, name);
    },
  };
  started(own);
  return own;
}

function kill(child: ChildProcess, pid: number, name: NodeJS.Signals): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, name);
      return;
    } catch {
      // The group may not be there yet, and the process no more.
    }
  }
  // The one way for a Deno script that may run but this program.
  child.kill(name);
}

function notRun(program: string, error: Error): InvalidRequestError {
  const { code } = error as { code?: string };
  const reason = code === "ENOENT"
    ? "there is no such program: set CLOUD_HYPERVISOR, or give its path"
    : error.message;
  return new InvalidRequestError(
    "invalid_request",
    "command",
    `"${program}" cannot be run: ${reason}`,
    { cause: error },
  );
}
