/** A console of the guest: its output, its input, and waits. */
import { VmmExitedError } from "../../errors/errors.ts";
import { GuestError } from "../../errors/guest_error.ts";
import { AbortScope } from "../../wait/abort_scope.ts";
import { createGuestScope } from "../guest_scope.ts";
import {
  type AttachOptions,
  attachTerminal,
  type OutputListener,
} from "./attach.ts";
import { ConsoleBuffer } from "./console_buffer.ts";
import { linesOf } from "./lines.ts";
import { ConsolePort } from "./port.ts";
import { runCommand, type RunOptions } from "./run.ts";
import type { ConsoleDevice, ConsoleTarget } from "./target.ts";
import { Transcript } from "./transcript.ts";
import {
  type ConsoleMatch,
  type ConsoleWaitOptions,
  waitForPattern,
} from "./wait_for.ts";

/**
 * A console of the guest; made by `openConsole`. It reads the output all the
 * time. `waitFor`, `run`, `lines` and `attach` share one position in the
 * output: each goes on where the last one stopped. Unread output is kept, at
 * most 1 MiB.
 */
export interface GuestConsole extends AsyncDisposable {
  /**
   * The last MiB of the output. It may contain terminal escape sequences,
   * which the guest chooses.
   */
  readonly transcript: string;
  /** Characters that were dropped, since nobody had read them in time. */
  readonly lost: number;
  /** Resolves at the first connection; rejects where the console ends before. */
  readonly connected: Promise<void>;
  /** Resolves when the console has ended, and its connection is closed. */
  readonly closed: Promise<void>;
  /**
   * Waits until the output contains a text or matches a pattern.
   *
   * @throws {DeadlineError} after `timeoutMs`; the message shows the output.
   * @throws {GuestError} `vmm_exited` or `closed`; the message shows the output.
   */
  waitFor(
    pattern: RegExp | string,
    options?: ConsoleWaitOptions,
  ): Promise<ConsoleMatch>;
  /**
   * The output as lines, without their ends; ends with the console. A line over
   * 65536 characters comes in parts.
   */
  lines(): AsyncIterableIterator<string, undefined>;
  /**
   * Types text. Resolves when the VMM took the bytes. While the VM reboots it
   * waits for the connection.
   *
   * @throws {GuestError} `reset` or `closed`: the connection ended.
   */
  write(
    text: string | Uint8Array,
    options?: ConsoleWaitOptions,
  ): Promise<void>;
  /**
   * Types a command into a shell, and resolves to its output, without the echo
   * of the command and without the prompt.
   *
   * @throws {InvalidRequestError} `command`: it has more than one line.
   * @throws {DeadlineError} after `timeoutMs`; the message shows the output.
   * @throws {GuestError} `vmm_exited` or `closed`; the message shows the output.
   */
  run(command: string, options: RunOptions): Promise<string>;
  /**
   * Connects a person's terminal to the console: what is typed goes to the
   * guest, also Ctrl-C, and the output comes as it is, with escape sequences.
   * Ctrl-] leaves.
   */
  attach(options?: AttachOptions): Promise<"escape" | "closed">;
  /**
   * Calls back with each piece of the output from now on, as text and as bytes.
   *
   * @returns Ends the calls.
   */
  onOutput(listener: OutputListener): () => void;
  /**
   * Ends the console, and leaves the port usable for the next client: the
   * script's side is ended first, and the output read to its end.
   */
  close(): Promise<void>;
  /** Closes the console. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Options of a console. */
export interface ConsoleOptions {
  /** Ends the console; waits and lines reject with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The port to open, if the target is a VMM.
   *
   * Default: the serial port, or the console where that is a `Pty`.
   */
  readonly device?: ConsoleDevice | undefined;
  /**
   * True: the console connects again when the VM reboots, or is shut down
   * and booted.
   *
   * Default: `true`.
   */
  readonly reconnect?: boolean | undefined;
}

/** A console that has begun to connect, and its last failure. */
export interface OpeningConsole extends GuestConsole {
  /** Why there is no connection yet. */
  readonly failure: unknown;
}

/** Makes a console, which connects by itself as soon as that can be. */
export function createConsole(
  target: ConsoleTarget,
  { signal, device, reconnect = true }: ConsoleOptions = {},
): OpeningConsole {
  const buffer = new ConsoleBuffer();
  const transcript = new Transcript();
  const listeners = new Set<OutputListener>();
  const decoder = new TextDecoder();
  const port = new ConsolePort(target, {
    device,
    reconnect,
    onOutput(bytes) {
      const text = decoder.decode(bytes, { stream: true });
      transcript.append(text);
      buffer.append(text);
      for (const listener of listeners) listener(text, bytes);
    },
  });
  const abort = (): void => port.stop(signal?.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });
  const closed = port.ended.catch((reason) => {
    signal?.removeEventListener("abort", abort);
    const isDone = reason instanceof VmmExitedError ||
      (reason instanceof GuestError && reason.code === "closed");
    buffer.finish({ reason, isDone });
  });
  const opening = new AbortScope({});
  const connected = port.link(opening).then(() => opening.close());
  connected.catch(() => opening.close());
  const close = (): Promise<void> => {
    port.stop(new GuestError("closed", "the console was closed"));
    return closed;
  };
  const own: OpeningConsole = {
    get transcript() {
      return transcript.text;
    },
    get lost() {
      return buffer.lost;
    },
    get failure() {
      return port.failure;
    },
    connected,
    closed,
    waitFor: (pattern, options) => waitForPattern(buffer, pattern, options),
    lines: () => linesOf(buffer),
    async write(text, options = {}) {
      const scope = createGuestScope(options, {
        unmet: "the console did not take the input",
      });
      const bytes = typeof text === "string"
        ? new TextEncoder().encode(text)
        : text;
      try {
        const link = await port.link(scope);
        await scope.race(link.write(bytes));
      } finally {
        scope.close();
      }
    },
    run: (command, options) => runCommand(own.write, buffer, command, options),
    attach: (options) => attachTerminal(own, buffer, options),
    onOutput(listener) {
      const entry: OutputListener = (text, bytes) => listener(text, bytes);
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
  return own;
}
