/** Floats in the form of serde_json, which error messages repeat. */

/** Reads a float as serde_json does: leading digits that fit, and an exponent. */
export function toFloat(text: string): number {
  const [, sign, whole = "", fraction = "", power = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)!;
  const digits = whole + fraction;
  let kept = digits.length;
  while (BigInt(digits.slice(0, kept)) > MAX_U64) kept--;
  const significand = Number(BigInt(digits.slice(0, kept)));
  const exponent = Number(power) + whole.length - kept;
  const scale = 10 ** Math.abs(exponent);
  const value = exponent < 0 ? significand / scale : significand * scale;
  // Zero times infinity.
  const size = significand === 0 ? 0 : value;
  return sign === "-" ? -size : size;
}

const MAX_U64 = 2n ** 64n - 1n;

/** Formats a float as Rust does. */
export function fromFloat(value: number): string {
  if (Object.is(value, -0)) return "-0.0";
  const [digits = "", power = "0"] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent >= 16 || exponent < -5) {
    return `${digits}e${exponent < 0 ? "" : "+"}${exponent}`;
  }
  // JavaScript uses exponents for numbers below 1e-6 and from 1e21 only.
  const decimals = Math.max(1, digits.replace(/\D/g, "").length - 1 - exponent);
  const text = exponent < 0 ? value.toFixed(decimals) : String(value);
  return text.includes(".") ? text : `${text}.0`;
}
