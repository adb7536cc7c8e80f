/** Checks a law on generated input: the same input each time, unless told. */
import process from "node:process";
import {
  assert,
  asyncProperty,
  type IAsyncProperty,
  type IProperty,
  property,
} from "fast-check";

/** More, and others, by `FUZZ_RUNS=10000 FUZZ_SEED=7`. */
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 300);
export const seed: number = Number(process.env["FUZZ_SEED"] ?? 20261123);

/** A failure names the seed, the path to the input, and the least input. */
export async function holds<T>(
  law: IProperty<T> | IAsyncProperty<T>,
  share = 1,
): Promise<void> {
  const numRuns = Math.ceil(RUNS * share);
  await assert(law as IAsyncProperty<T>, { seed, numRuns });
}

export { asyncProperty, property };
