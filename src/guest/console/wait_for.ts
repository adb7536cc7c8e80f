/** Waits for a pattern in the output of a console. */
import { VmmExitedError } from "../../errors/errors.ts";
import { GuestError } from "../../errors/guest_error.ts";
import { createGuestScope } from "../guest_scope.ts";
import type { ConsoleBuffer } from "./console_buffer.ts";
import { excerptOf } from "./visible.ts";

/** Options of each wait of a console. */
export interface ConsoleWaitOptions {
  /** When this signal aborts, the wait rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds until the wait rejects with a `DeadlineError`.
   *
   * Default: `Infinity`.
   */
  readonly timeoutMs?: number | undefined;
}

/** Output that matched the pattern. */
export interface ConsoleMatch {
  /** The text that matched. */
  readonly text: string;
  /** The output before the match that nobody had read. */
  readonly before: string;
  /** The capturing groups of the pattern. */
  readonly groups: readonly (string | undefined)[];
}

/** Waits for the pattern, and counts the output up to its end as read. */
export async function waitForPattern(
  buffer: ConsoleBuffer,
  pattern: RegExp | string,
  options: ConsoleWaitOptions = {},
): Promise<ConsoleMatch> {
  const expression = toExpression(pattern);
  const wanted = typeof pattern === "string"
    ? JSON.stringify(pattern)
    : String(pattern);
  const scope = createGuestScope(options, {
    unmet: `the console did not show ${wanted}`,
    lastSeen: () => excerptOf(buffer.unread),
  });
  try {
    for (;;) {
      const { changed, end, unread } = buffer;
      const started = performance.now();
      const match = expression.exec(unread);
      if (match) {
        const [text, ...groups] = match;
        buffer.skip(match.index + text.length);
        return { text, before: unread.slice(0, match.index), groups };
      }
      if (end) throw toEndError(end.reason, wanted, unread);
      await scope.race(changed);
      // A search through much output costs, and output may come all the time.
      const cost = performance.now() - started;
      if (unread.length > CHEAP) await scope.pause(Math.min(cost, 50));
    }
  } finally {
    scope.close();
  }
}

/** The pattern, searched from the start of the unread output. */
function toExpression(pattern: RegExp | string): RegExp {
  if (typeof pattern !== "string") {
    return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ""));
  }
  return new RegExp(pattern.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"));
}

/** Shows what was there, which says more than that the console has ended. */
function toEndError(reason: unknown, wanted: string, unread: string): unknown {
  const isExit = reason instanceof VmmExitedError;
  if (!isExit && !(reason instanceof GuestError)) return reason;
  const { code, message } = reason;
  const seen = `before ${wanted}; last seen: ${excerptOf(unread)}`;
  return new GuestError(code, `${message}, ${seen}`, { cause: reason });
}

/** Characters that are searched in no time. */
const CHEAP = 1 << 16;
