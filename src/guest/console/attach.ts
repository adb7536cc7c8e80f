/** Connects a person's terminal to a console. */
import { Buffer } from "node:buffer";
import process from "node:process";
import type { ConsoleBuffer } from "./console_buffer.ts";
import type { ConsoleWaitOptions } from "./wait_for.ts";

/** A terminal's input, or any stream; `process.stdin` is one. */
export interface TerminalInput {
  /** True if the stream is a terminal, which is set to raw mode. */
  readonly isTTY?: boolean | undefined;
  /** True if the terminal is in raw mode already. */
  readonly isRaw?: boolean | undefined;
  /** Adds a listener of what is typed. */
  on(event: "data", listener: (chunk: Uint8Array | string) => void): unknown;
  /** Removes the listener. */
  off(event: "data", listener: (chunk: Uint8Array | string) => void): unknown;
  /** Begins to read. */
  resume(): unknown;
  /** Stops reading, so that the script can end. */
  pause(): unknown;
  /** Sets the mode of a terminal. */
  setRawMode?(raw: boolean): unknown;
}

/** A terminal's output, or any stream; `process.stdout` is one. */
export interface TerminalOutput {
  /** Bytes that wait to be shown. Output beyond 1 MiB of them is dropped. */
  readonly writableLength?: number;
  /** Shows output. */
  write(chunk: Uint8Array): unknown;
}

/** The part of a console that a terminal uses. */
export interface AttachableConsole {
  readonly closed: Promise<void>;
  write(bytes: Uint8Array, options: ConsoleWaitOptions): Promise<void>;
  onOutput(listener: OutputListener): () => void;
}

/** A listener of the output. */
export type OutputListener = (text: string, bytes: Uint8Array) => void;

/** Options of a console's `attach`. */
export interface AttachOptions {
  /**
   * The key that leaves, as the byte that it sends.
   *
   * Default: `"\x1d"`, Ctrl-].
   */
  readonly escape?: string;
  /** Default: `process.stdin`. */
  readonly input?: TerminalInput;
  /** Default: `process.stdout`. */
  readonly output?: TerminalOutput;
  /** When this signal aborts, `attach` rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Resolves when the person has left, or the console has ended. */
export async function attachTerminal(
  console: AttachableConsole,
  buffer: ConsoleBuffer,
  options: AttachOptions = {},
): Promise<"escape" | "closed"> {
  const { escape = "\x1d", signal } = options;
  const { input = process.stdin, output = process.stdout } = options;
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<
    "escape" | "closed"
  >();
  const show = (bytes: Uint8Array): void => {
    // A terminal that is stopped must not fill the memory.
    if ((output.writableLength ?? 0) < MAX_WAITING_BYTES) output.write(bytes);
  };
  const type = (bytes: Uint8Array): void => {
    // While the VM reboots, there is nobody to type to.
    console.write(bytes, { timeoutMs: TYPING_MS }).catch(() => {});
  };
  const onData = (chunk: Uint8Array | string): void => {
    const bytes = Buffer.from(chunk as string);
    const end = bytes.indexOf(escape);
    if (end < 0) return type(bytes);
    if (end > 0) type(bytes.subarray(0, end));
    resolve("escape");
  };
  const onAbort = (): void => reject(signal?.reason);
  const unread = buffer.unread;
  buffer.skipAll();
  if (unread !== "") show(new TextEncoder().encode(unread));
  const stop = console.onOutput((_text, bytes) => {
    buffer.skipAll();
    show(bytes);
  });
  const wasRaw = input.isRaw ?? false;
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    if (input.isTTY) input.setRawMode?.(true);
    input.on("data", onData);
    input.resume();
    console.closed.then(() => resolve("closed"));
    return await promise;
  } finally {
    stop();
    input.off("data", onData);
    input.pause();
    if (input.isTTY) input.setRawMode?.(wasRaw);
    signal?.removeEventListener("abort", onAbort);
  }
}

const MAX_WAITING_BYTES = 1 << 20;
const TYPING_MS = 1000;
