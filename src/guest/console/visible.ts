/**
 * Text of the guest for a person: what a guest writes may drive the terminal of
 * a person who reads a log or an error message.
 */

/**
 * Writes control characters as escapes, such as `\x1b`, except newlines and
 * tabs. `\r\n` becomes `\n`.
 */
export function toVisible(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(CONTROLS, escapeOf);
}

/** The end of a text as one line, in quotes. */
export function excerptOf(text: string): string {
  const end = text.length > EXCERPT ? `…${text.slice(-EXCERPT)}` : text;
  return JSON.stringify(end).replaceAll(CONTROLS, escapeOf);
}

function escapeOf(character: string): string {
  const code = character.codePointAt(0)!.toString(16);
  return code.length > 2
    ? `\\u${code.padStart(4, "0")}`
    : `\\x${code.padStart(2, "0")}`;
}

/** Control characters but newline and tab, and what reorders a line. */
const CONTROLS = /[^\P{Cc}\n\t]|\p{Bidi_Control}|[\u2028\u2029]/gu;

/** Characters of the output that an error message shows. */
const EXCERPT = 400;
