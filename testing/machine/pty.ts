/** A pseudoterminal for a console in mode `Pty`. */
import { type ChildProcess, spawn } from "node:child_process";
import {
  accessSync,
  constants,
  mkdtempSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import type { Readable, Writable } from "node:stream";

/** The VMM's side of a pseudoterminal. */
export interface Pty {
  /** The path of the other side, such as `/dev/pts/3`. */
  readonly path: string;
  /** The bytes that clients type. */
  readonly input: Readable;
  /** The bytes that clients read. */
  readonly output: Writable;
  /** Hangs up. */
  close(): void;
}

/**
 * Makes a pseudoterminal in raw mode. No runtime can, so util-linux's `script`
 * does.
 *
 * @throws {Error} `script` is not installed, or does not answer.
 */
export function openPty(): Pty {
  const program = findScript();
  const directory = mkdtempSync(join(tmpdir(), "fake-pty-"));
  try {
    const file = join(directory, "path");
    // The shell keeps the terminal open until the fake ends, which closes 3.
    const shell = `stty raw -echo; tty > '${file}'; read -r _ <&3`;
    const child = spawn(program, ["-q", "-c", shell, "/dev/null"], {
      stdio: ["pipe", "pipe", "ignore", "pipe"],
      env: { ...process.env, SHELL: "/bin/sh" },
    });
    child.on("error", () => {});
    const [input, output] = [child.stdout!, child.stdin!];
    for (const stream of [input, output, child.stdio[3]!]) {
      stream.on("error", () => {});
    }
    const close = (): void => hangUp(child);
    const path = waitForLine(file);
    if (path === undefined) {
      close();
      throw new Error(`"${program}" made no pseudoterminal in ${LIMIT_MS} ms`);
    }
    return { path, input, output, close };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function findScript(): string {
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(directory, "script");
    try {
      accessSync(path, constants.X_OK);
      if (directory !== "") return path;
    } catch {
      // Not in this directory.
    }
  }
  throw new Error(
    'the fake makes a pseudoterminal with "script" of util-linux, which is not in PATH; install util-linux, or use mode "Socket"',
  );
}

/** `vm.create` of the fake does not wait, so this blocks: some 15 ms. */
function waitForLine(file: string): string | undefined {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let ms = 0; ms < LIMIT_MS; ms += 2) {
    const line = readIfThere(file);
    if (line.endsWith("\n")) return line.trim();
    Atomics.wait(cell, 0, 0, 2);
  }
  return undefined;
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** SIGKILL, since `script` delays the end after other signals. */
function hangUp(child: ChildProcess): void {
  child.kill("SIGKILL");
  for (const stream of child.stdio) stream?.destroy();
}

const LIMIT_MS = 5000;
