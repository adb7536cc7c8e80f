/** Floats as serde_json reads and writes them; the API has no use for any. */

/** A float as serde_json reads it: the digits that fit, and a power of ten. */
export function toFloat(text: string): number {
  const [, sign, whole = "", fraction = "", power = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)!;
  let significand = 0n;
  let exponent = Number(power);
  let full = false;
  for (const [at, digit] of [...whole + fraction].entries()) {
    const next = significand * 10n + BigInt(digit);
    full ||= next > MAX_U64;
    if (!full) significand = next;
    // What no longer fits counts only by its place.
    if (full && at < whole.length) exponent++;
    if (!full && at >= whole.length) exponent--;
  }
  const scale = 10 ** Math.abs(exponent);
  const value = significand === 0n
    ? 0
    : exponent < 0
    ? Number(significand) / scale
    : Number(significand) * scale;
  return sign === "-" ? -value : value;
}

const MAX_U64 = 2n ** 64n - 1n;

/** A float as Rust's formatter of short floats writes it. */
export function fromFloat(value: number): string {
  if (Object.is(value, -0)) return "-0.0";
  const [digits = "", power = "0"] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent >= 16 || exponent < -5) {
    return `${digits}e${exponent < 0 ? "" : "+"}${exponent}`;
  }
  // JavaScript turns to exponents only later on the large side.
  const text = exponent < 0
    ? value.toFixed(
      Math.max(1, digits.replace(/\D/g, "").length - 1 - exponent),
    )
    : String(value);
  return text.includes(".") ? text : `${text}.0`;
}
