/** Event readers that the owner of the file knows. */
import type { ReadEventsOptions, VmmEvent } from "../events/mod.ts";
import type { BoundedFiles } from "./file_limits.ts";

/** Reports how far the reader is, from its first `next()` on. */
export function registered(
  events: AsyncIterable<VmmEvent>,
  files: BoundedFiles,
  from: ReadEventsOptions["from"] = "start",
): AsyncIterable<VmmEvent> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = events[Symbol.asyncIterator]();
      // A reader from now on is at the end of the file.
      const position = { offset: from === "now" ? Infinity : 0 };
      let remove: (() => void) | undefined;
      return {
        async next() {
          remove ??= files.addReader(position);
          try {
            const result = await iterator.next();
            if (result.done) remove();
            else position.offset = result.value.offset;
            return result;
          } catch (error) {
            remove();
            throw error;
          }
        },
        async return() {
          remove?.();
          return await iterator.return?.() ?? { done: true, value: undefined };
        },
      };
    },
  };
}
