/** UUIDs as the VMM parses them. */

const PLAIN = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
const GROUPS = [8, 4, 4, 4, 12];
const URN = "urn:uuid:";

/** Returns the error message about a text that is not a UUID. */
export function uuidError(text: string): string | undefined {
  if (/^[\da-f]{32}$/i.test(text)) return undefined;
  const bytes = length(text);
  const braced = text.startsWith("{") && text.endsWith("}");
  const urn = text.startsWith(URN);
  const start = braced ? 1 : urn ? URN.length : 0;
  const body = text.slice(start, braced ? -1 : undefined);
  if (PLAIN.test(body)) return undefined;
  if (bytes === 0 || bytes > 45) return `invalid length: found ${bytes}`;
  // With the length of a UUID, the parser sees the text without its wrapping.
  const whole = length(body) === 36;
  const offset = whole ? 0 : start;
  const other = /[^\da-f-]/iu.exec(body);
  if (other !== null) {
    const at = offset + length(body.slice(0, other.index));
    return `invalid character: found \`${other[0]}\` at ${at}`;
  }
  const groups = body.split("-");
  if (groups.length === 1 && !whole && start === 0) {
    return `invalid length: found ${bytes}`;
  }
  return groups.length === 5
    ? groupError(groups, whole ? 36 : bytes)
    : `invalid group count: expected 5, found ${groups.length}`;
}

/** The error of the first group that ends in the wrong place. */
function groupError(groups: readonly string[], bytes: number): string {
  let start = 0;
  let hyphen = -1;
  for (const [group, expected] of GROUPS.slice(0, 4).entries()) {
    hyphen += groups[group]!.length + 1;
    if (hyphen !== start + expected) {
      return lengthError(group, hyphen - start);
    }
    start += expected + 1;
  }
  return lengthError(4, bytes - start);
}

function lengthError(group: number, actual: number): string {
  return `invalid group length in group ${group}: expected ${GROUPS[group]}, ` +
    `found ${actual}`;
}

function length(text: string): number {
  return new TextEncoder().encode(text).length;
}
