/** The end of the VMM process. */
import type { Release } from "../release_type.ts";

/** The end that the process of a real VMM would have. */
export interface Exit {
  /** The exit code: 0, or 1 after a failure; null after a signal. */
  readonly code: number | null;
  /** The signal that ended the process, such as `"SIGSYS"`, or null. */
  readonly signal: Signal | null;
}

/** A signal that ends the process. */
export type Signal = "SIGABRT" | "SIGBUS" | "SIGKILL" | "SIGSYS";

/** An exit with a code. */
export function exitCode(code: number): Exit {
  return { code, signal: null };
}

/** The end by a signal. */
export function killedBy(signal: Signal): Exit {
  return { code: null, signal };
}

/** True if the file of the API socket stays. */
export function leavesSocket(
  { code }: Exit,
  release: Pick<Release, "leavesSocket">,
): boolean {
  return code === null || code !== 0 && release.leavesSocket;
}
