/** Random numbers that can be repeated. */
import process from "node:process";

/** Returns a number from 0 up to, but not including, 1. */
export type Random = () => number;

const given = process.env["TEST_SEED"];

/**
 * The seed of tests on generated input, the same in each run. `--seed N` of
 * `tools/test/run.ts` sets another one.
 */
export const seed: number = toSeed(given ?? "20261123");

/** The seed of tests that take another moment in each run, unless one is set. */
export const freshSeed: number = given === undefined
  ? Math.floor(Math.random() * 2 ** 31)
  : seed;

/** Returns a generator of the numbers that follow from a seed. */
export function randomFrom(seed: number): Random {
  let state = seed;
  // The generator "mulberry32".
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Runs `body` with random numbers; a failure names the seed. */
export async function withRandom(
  body: (random: Random) => void | Promise<void>,
): Promise<void> {
  try {
    await body(randomFrom(freshSeed));
  } catch (error) {
    throw new Error(`failed with TEST_SEED=${freshSeed}: ${error}`, {
      cause: error,
    });
  }
}

function toSeed(text: string): number {
  const seed = Number(text);
  if (Number.isSafeInteger(seed)) return seed;
  throw new Error(`TEST_SEED is not an integer: ${text}`);
}
