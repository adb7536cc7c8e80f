/** Writes all output of a console to a file. */
import { resolve } from "node:path";
import { checkPath } from "../../arguments/path.ts";
import { InvalidRequestError } from "../../errors/errors.ts";
import {
  type ConsoleOptions,
  createConsole,
  type GuestConsole,
} from "./console.ts";
import { RotatingFile } from "./rotating_file.ts";
import type { ConsoleTarget } from "./target.ts";
import { toVisible } from "./visible.ts";

/** Options of {@linkcode logConsole}. */
export interface LogConsoleOptions extends ConsoleOptions {
  /**
   * Bytes of a file. A full one is renamed, and a new one begun.
   *
   * Default: 16 MiB.
   */
  readonly maxBytes?: number | undefined;
  /**
   * The number of full files that are kept, named `file.1` (the newest) and so
   * on.
   *
   * Default: `4`.
   */
  readonly keep?: number | undefined;
  /**
   * True: the bytes are written unchanged. Otherwise control characters are
   * written as escapes, such as `\x1b`, so that the log cannot drive the
   * terminal of a reader.
   *
   * Default: `false`.
   */
  readonly raw?: boolean | undefined;
}

/** A log that is being written; made by {@linkcode logConsole}. */
export interface ConsoleLog extends AsyncDisposable {
  /** The console that is read; others can wait and type on it. */
  readonly console: GuestConsole;
  /**
   * Resolves when the console has ended, and all of the output is in the file.
   * Rejects when the file cannot be written any more.
   */
  readonly done: Promise<void>;
  /** Ends the log, and a console that was opened for it. */
  close(): Promise<void>;
  /** Closes the log. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Appends the output of a console to a file, over reboots, until the VMM ends.
 * A console that is given is read from the beginning of its transcript; its
 * other uses go on. The file gets mode 0600, and each piece of output is in the
 * file before the next one is read.
 *
 * @param source The target of `openConsole`, or an open console.
 * @throws {InvalidRequestError} `maxBytes` or `keep` is out of range.
 * @throws The error of the file system when the file cannot be opened.
 */
export function logConsole(
  source: ConsoleTarget | GuestConsole,
  file: string,
  options: LogConsoleOptions = {},
): ConsoleLog {
  const { maxBytes = 1 << 24, keep = 4, raw = false, ...rest } = options;
  checkInteger("maxBytes", maxBytes, 1);
  checkInteger("keep", keep, 0);
  const output = new RotatingFile(resolve(checkPath("file", file)), {
    maxBytes,
    keep,
  });
  const isOwn = !("transcript" in source);
  const console = isOwn ? createConsole(source, rest) : source;
  const { promise: done, resolve: finish, reject } = Promise.withResolvers<
    void
  >();
  done.catch(() => {});
  let isOpen = true;
  let carriage = "";
  const append = (text: string, bytes: Uint8Array): void => {
    // A line's end may come in two pieces.
    const whole = carriage + text;
    carriage = !raw && whole.endsWith("\r") ? "\r" : "";
    const shown = whole.slice(0, whole.length - carriage.length);
    output.append(raw ? bytes : new TextEncoder().encode(toVisible(shown)));
  };
  const end = (error?: unknown): void => {
    if (!isOpen) return;
    isOpen = false;
    stop();
    try {
      if (error === undefined && carriage !== "") output.append(LONE_CR);
      output.close();
      finish();
    } catch (failure) {
      error ??= failure;
    }
    if (error !== undefined) reject(error);
  };
  const guarded = (text: string, bytes: Uint8Array): void => {
    try {
      append(text, bytes);
    } catch (error) {
      end(error);
    }
  };
  const stop = console.onOutput(guarded);
  const before = console.transcript;
  if (before !== "") guarded(before, new TextEncoder().encode(before));
  console.closed.then(() => end());
  const close = async (): Promise<void> => {
    if (isOwn) await console.close();
    end();
  };
  return { console, done, close, [Symbol.asyncDispose]: close };
}

function checkInteger(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new InvalidRequestError(
    "invalid_request",
    name,
    `${value} is not an integer of at least ${least}`,
  );
}

const LONE_CR = new TextEncoder().encode("\\x0d");
