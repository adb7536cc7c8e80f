/** Turns the VMM's chain of messages into the reason within one sentence. */

/**
 * The last messages of the chain, joined; earlier ones only where they name a
 * file, an address or a device. The last message alone often says nothing:
 * "No such file or directory (os error 2)".
 */
export function reasonOf(messages: readonly string[]): string {
  const lines = messages.map(toLine);
  const telling = lines.filter((line) => !GENERAL.test(line));
  const chosen = (telling.length > 0 ? telling : lines.slice(-1))
    .filter((line, i, all) => i >= all.length - KEPT || NAMING.test(line));
  const joined: string[] = [];
  for (const line of chosen) {
    if (!joined.some((earlier) => earlier.includes(line))) joined.push(line);
  }
  return joined.join(": ") || "no reason given";
}

/** One line: without the notice of the HTTP parser, and of bounded length. */
function toLine(message: string): string {
  const [text = ""] = message.split("\nAll previous unanswered requests", 1);
  const line = text.replaceAll("\n", "\\n");
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)}…` : line;
}

/** Messages that stand above all others, and repeat the operation. */
const GENERAL =
  /^(Error from |API response |The .* (could|is) not |Memory manager |Failed to (validate config|deserialize|\w+ migratable)|Cannot \w+ VM)/;

/** A path, a quoted name, or `name: value`. */
const NAMING = /\/|"|: |\bpath=/;

const KEPT = 3;
const MAX_LENGTH = 1000;
