/** `--log-format`. */
import { CommandLineError } from "./command_line_error.ts";
import type { FlagValue } from "./parse_flags.ts";

/** Parts of a time; with `local` before them in the host's time zone. */
const timeTokens = [
  "year",
  "month",
  "day",
  "hour",
  "minute",
  "second",
  "micros",
  "offset",
];

const tokens: readonly string[] = [
  "boottime",
  "wallclock",
  "glog",
  "localglog",
  "pid",
  "tid",
  "thread",
  "level",
  "levelchar",
  "location",
  "msg",
  ...timeTokens,
  ...timeTokens.map((token) => `local${token}`),
];

/**
 * The format, whose tokens stand in braces; two braces stand for one.
 *
 * @throws {CommandLineError} at an unknown token, or a brace without a partner.
 */
export function checkLogFormat({ flag, text, index }: FlagValue): string {
  const fail = (value: string, why: string) =>
    new CommandLineError({
      reason: "invalid_value",
      flag,
      index,
      argument: text,
      value,
      text: why,
    }, 1);
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char !== "{" && char !== "}") continue;
    if (text[at + 1] === char) at++;
    else if (char === "}") throw fail("}", 'a "}" has no partner');
    else {
      const end = text.indexOf("}", at);
      if (end < 0) throw fail("{", 'a "{" has no partner');
      const token = text.slice(at + 1, end);
      if (!tokens.includes(token)) {
        const known = tokens.join(", ");
        throw fail(token, `unknown token "{${token}}"; there are ${known}`);
      }
      at = end;
    }
  }
  return text;
}
