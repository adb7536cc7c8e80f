/** `pmem`: persistent memory. */
import type { Config } from "../config.ts";
import { inMib } from "./memory_sizes.ts";
import { type Violation, violation } from "./rule.ts";

const STEP = 2n << 20n;

/** Without a size, the file decides. */
export function* pmemViolations(
  { pmem = [] }: Partial<Config>,
): Generator<Violation> {
  for (const [index, { size }] of pmem.entries()) {
    if (size === undefined) continue;
    const path = `pmem[${index}].size`;
    if (BigInt(size) === 0n) {
      const message = "Cannot find a memory range for persistent memory";
      const advice = 'leave "size" out to use the size of the file';
      yield violation(path, message, { advice });
    } else if (BigInt(size) % STEP !== 0n) {
      const message = "Trying to use a size that is not multiple of 2MiB";
      const advice = `use a multiple of ${STEP}${inMib(size)}`;
      yield violation(path, message, { advice });
    }
  }
}
