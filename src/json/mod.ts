/**
 * JSON with exact 64-bit integers, as the VMM writes and reads it. The
 * platform's `JSON.stringify` throws at a bigint, and its `JSON.parse` rounds
 * integers beyond 2^53.
 *
 * @example Keep counters as text
 * ```ts
 * import { createClient } from "@chv/cloud-hypervisor";
 * import { parse, stringify } from "@chv/cloud-hypervisor/json";
 *
 * const { vm } = createClient("/run/vm0/api.sock");
 * const text = stringify(await vm.counters());
 * console.log(text, parse(text));
 * ```
 *
 * @example Compute with a size
 * ```ts
 * import { createClient } from "@chv/cloud-hypervisor";
 * import { bytes } from "@chv/cloud-hypervisor/json";
 *
 * const { vm } = createClient("/run/vm0/api.sock");
 * const { config } = await vm.info();
 * console.log(`${bytes(config.memory.size) / 2 ** 20} MiB`);
 * ```
 *
 * @module
 */
import { stringify as write } from "./json.ts";

export { bytes } from "./bytes.ts";
export { InexactValueError, parse } from "./json.ts";

/**
 * Writes a value as JSON; a bigint becomes a plain number.
 *
 * @throws {InexactValueError} at a `number` that is not a safe integer, and at
 * a lone surrogate, which the VMM cannot read.
 * @throws {TypeError} when JSON has no form of the value, such as `undefined`.
 */
export function stringify(value: unknown): string {
  const text = write(value);
  if (text === undefined) {
    throw new TypeError(`JSON cannot hold ${typeof value}`);
  }
  return text;
}
