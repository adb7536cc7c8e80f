/**
 * A size in bytes as a number to compute with. Sizes in responses are `number |
 * bigint`, since the VMM takes up to 2^64 - 1.
 *
 * @throws {RangeError} when the size is beyond 2^53 - 1, where numbers are not
 * exact.
 */
export function bytes(size: number | bigint): number {
  const number = Number(size);
  if (Number.isSafeInteger(number)) return number;
  throw new RangeError(`${size} bytes are not exact as a number`);
}
