/** Calls the functions of a guest's script, and reports their mistakes. */

/** The host has ended a connection. For the script, this is no failure. */
export class HostClosed extends Error {}

/** The value that a function of the script may return. */
export interface ScriptResult {
  /** True if a string is allowed, too. */
  readonly mayBeText?: boolean;
  /** A thing that the author of the script can do instead. */
  readonly advice: string;
}

/**
 * Calls a function of the script, at once. Do not catch its rejection: as an
 * unhandled rejection it fails the test that runs, and ends the stand-in
 * program with the message on stderr.
 *
 * @param name The function's place in the options, such as `guest.serial`.
 */
export async function callScript(
  name: string,
  call: () => unknown,
  { mayBeText = false, advice }: ScriptResult,
): Promise<string | undefined> {
  let result: unknown;
  try {
    result = await call();
  } catch (cause) {
    if (cause instanceof HostClosed) return undefined;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${name} of the fake VMM failed: ${message}`, { cause });
  }
  if (result === undefined || result === null) return undefined;
  if (mayBeText && typeof result === "string") return result;
  throw new TypeError(
    `${name} of the fake VMM returned ${typeNameOf(result)}; ${advice}`,
  );
}

function typeNameOf(value: unknown): string {
  const name = typeof value === "object"
    ? value?.constructor?.name ?? "object"
    : typeof value;
  return `a value of type ${name}`;
}
