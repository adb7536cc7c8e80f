/** The output of a console, line by line. */
import type { ConsoleBuffer } from "./console_buffer.ts";

/** Lines from the first unread character on; they count as read. */
export function linesOf(
  buffer: ConsoleBuffer,
): AsyncIterableIterator<string, undefined> {
  let left = false;
  const { promise: leaving, resolve: leave } = Promise.withResolvers<void>();
  const done = { done: true, value: undefined } as const;
  return {
    async next() {
      for (;;) {
        if (left) return done;
        const { changed, end } = buffer;
        const value = buffer.takeLine();
        if (value !== undefined) return { done: false, value };
        if (end?.isDone) return done;
        if (end) throw end.reason;
        await Promise.race([changed, leaving]);
      }
    },
    return() {
      left = true;
      leave();
      return Promise.resolve(done);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
