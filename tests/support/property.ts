/** Checks a law on generated input, which `TEST_SEED` decides. */
import process from "node:process";
import {
  assert,
  asyncProperty,
  type IAsyncProperty,
  type IProperty,
  property,
} from "fast-check";
import { seed } from "./random.ts";

const RUNS = Number(process.env["TEST_RUNS"] ?? 300);

/** A failure names the seed, the path to the input, and the smallest input. */
export async function holds<T>(
  law: IProperty<T> | IAsyncProperty<T>,
  share = 1,
): Promise<void> {
  const numRuns = Math.ceil(RUNS * share);
  await assert(law as IAsyncProperty<T>, { seed, numRuns });
}

export { asyncProperty, property };
