/** The process of a VMM that the script starts. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import process from "node:process";
import { InvalidRequestError, type VmmExit } from "../errors/errors.ts";
import type { BoundedFiles } from "./file_limits.ts";
import type { SpawnVmmOptions } from "./options.ts";
import type { VmmDirectory } from "./vmm_directory.ts";

/** The process of a VMM. */
export interface Child {
  readonly pid: number;
  /** Resolves when the process has ended. */
  readonly exited: Promise<VmmExit>;
  /** Tells whether the process is not known to have ended. */
  isRunning(): boolean;
  /** False if another process may have the pid by now, so `signal` throws. */
  readonly canSignal?: boolean;
  /** Makes the process keep the script alive, or not. Default: it does. */
  keepScript?(isKept: boolean): void;
  /** Signals the process and its group, unless the process has ended. */
  signal(name: "SIGTERM" | "SIGKILL"): void;
}

/**
 * Starts the program in a session of its own, so that Ctrl-C in a terminal
 * reaches only the script. Calls `onStart` before anything else can happen.
 *
 * @throws {InvalidRequestError} `command` when the program cannot be run.
 */
export async function launch(
  [program, ...args]: readonly [string, ...string[]],
  options: SpawnVmmOptions,
  directory: VmmDirectory,
  files: BoundedFiles,
  onStart: (child: Child) => void,
): Promise<Child> {
  const open: number[] = [];
  const create = (path: string): number => {
    const fd = directory.createFile(path);
    open.push(fd);
    return fd;
  };
  try {
    const stderr = create(directory.stderrPath);
    create(directory.eventsPath);
    const { env, fds = [], detach } = options;
    const stdout = options.stdout ??
      (detach ? create(directory.stdoutPath) : "ignore");
    const child = spawn(program, args, {
      stdio: ["ignore", stdout, stderr, ...fds],
      detached: true,
      ...env && { env: { ...process.env, ...env } },
    });
    return await childOf(child, program, files, onStart);
  } finally {
    open.forEach((fd) => closeSync(fd));
  }
}

async function childOf(
  child: ChildProcess,
  program: string,
  files: BoundedFiles,
  onStart: (child: Child) => void,
): Promise<Child> {
  const { pid } = child;
  const { promise: exited, resolve } = Promise.withResolvers<VmmExit>();
  let isRunning = true;
  child.once("exit", (exitCode: number | null, signal: string | null) => {
    isRunning = false;
    resolve({ exitCode, signal, stderr: files.stderr() });
  });
  if (pid === undefined) {
    const [error] = await new Promise<[Error]>((resolve) => {
      child.once("error", (error) => resolve([error]));
    });
    throw cannotRun(program, error);
  }
  const result: Child = {
    pid,
    exited,
    isRunning: () => isRunning,
    keepScript(isKept) {
      if (isRunning) isKept ? child.ref() : child.unref();
    },
    signal(name) {
      if (isRunning) kill(child, pid, name);
    },
  };
  onStart(result);
  return result;
}

function kill(child: ChildProcess, pid: number, name: NodeJS.Signals): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, name);
      return;
    } catch (error) {
      // The group may not exist yet; without a process there is nothing to end.
      const isGone = (error as { code?: unknown }).code === "ESRCH";
      if (isGone && target === pid) return;
    }
  }
  // The only way for a Deno script that may run nothing but this program.
  child.kill(name);
}

function cannotRun(program: string, error: Error): InvalidRequestError {
  const { code } = error as { code?: string };
  const reason = code === "ENOENT"
    ? "there is no such program; set CLOUD_HYPERVISOR, or give its path"
    : error.message;
  return new InvalidRequestError(
    "invalid_request",
    "command",
    `"${program}" cannot be run: ${reason}`,
    { cause: error },
  );
}
