/** Runs a command in a shell on a console. */
import { InvalidRequestError } from "../../errors/errors.ts";
import { createGuestScope } from "../guest_scope.ts";
import type { ConsoleBuffer } from "./console_buffer.ts";
import { excerptOf } from "./visible.ts";
import { type ConsoleWaitOptions, waitForPattern } from "./wait_for.ts";

/** Options of a console's `run`. */
export interface RunOptions extends ConsoleWaitOptions {
  /**
   * The prompt of the shell. A text is the whole prompt, and counts only at the
   * beginning of a line; a pattern counts anywhere. `/[^\r\n]*[#$] $/` matches
   * the usual prompts, such as `root@vm0:~# `.
   */
  readonly prompt: RegExp | string;
  /**
   * True if the shell echoes the typed text, as a terminal does.
   *
   * Default: `true`.
   */
  readonly echo?: boolean | undefined;
}

/** Types the command, and takes the output up to the next prompt. */
export async function runCommand(
  write: (text: string, options: ConsoleWaitOptions) => Promise<void>,
  buffer: ConsoleBuffer,
  command: string,
  { prompt, echo = true, timeoutMs, signal }: RunOptions,
): Promise<string> {
  if (/[\r\n]/.test(command)) {
    throw new InvalidRequestError(
      "invalid_request",
      "command",
      "it has more than one line; run each line by itself",
    );
  }
  const scope = createGuestScope({ timeoutMs, signal }, {
    unmet: `${nameOf(prompt)} did not come after ${JSON.stringify(command)}`,
    lastSeen: () => excerptOf(buffer.unread),
  });
  const wait = { signal: scope.signal };
  try {
    // A prompt that was there before is not the one after the command.
    buffer.skipAll();
    await write(`${command}\n`, wait);
    if (echo) await waitForPattern(buffer, echoOf(command), wait);
    const end = typeof prompt === "string" ? promptOf(prompt) : prompt;
    const { before } = await waitForPattern(buffer, end, wait);
    return toLines(before);
  } finally {
    scope.close();
  }
}

function nameOf(prompt: RegExp | string): string {
  return typeof prompt === "string"
    ? `a line that begins with the prompt ${JSON.stringify(prompt)}`
    : `the prompt ${prompt}`;
}

/** The echo of a command, which a line editor may wrap and redraw. */
function echoOf(command: string): RegExp {
  const between = String.raw`(?:\x1b\[[\d;?]*[A-Za-z]| ?\r\n?)*`;
  const characters = [...command].map((character) => escape(character));
  return new RegExp(`${characters.join(between)}[^\\n]*\\n`, "u");
}

function promptOf(prompt: string): RegExp {
  return new RegExp(
    String.raw`(?<![^\r\n])(?:\x1b\[[\d;?]*[A-Za-z])*${escape(prompt)}`,
  );
}

function escape(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/** Lines end in `\n`, and the last one has no end. */
function toLines(output: string): string {
  return output.replaceAll(BRACKETED_PASTE, "").replaceAll(
    /\r+\n/g,
    "\n",
  ).replace(/\n$/, "");
}

/** A line editor switches the bracketed paste of the terminal. */
const BRACKETED_PASTE = new RegExp(String.raw`\x1b\[\?2004[hl]\r?`, "g");
