/** Quotes and brackets in the value of a flag. */

/**
 * The parts between commas that stand in no quotes and no brackets; undefined
 * if a quote or a bracket has no partner. The parts keep their quotes.
 */
export function splitAtCommas(value: string): string[] | undefined {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let part = "";
  for (const char of value.trim()) {
    if (char === '"') quoted = !quoted;
    else if (!quoted && char === "[") depth++;
    else if (!quoted && char === "]" && --depth < 0) return undefined;
    else if (!quoted && char === "," && depth === 0) {
      parts.push(part);
      part = "";
      continue;
    }
    part += char;
  }
  return quoted || depth !== 0 ? undefined : [...parts, part];
}

/** A text without its quotes; two quotes within a text stand for one. */
export function unquote(value: string): string {
  let result = "";
  let before = "";
  let quoted = false;
  for (const char of value) {
    if (char !== '"') result += char;
    else {
      if (before === '"' && !quoted) result += '"';
      quoted = !quoted;
    }
    before = char;
  }
  return result;
}
