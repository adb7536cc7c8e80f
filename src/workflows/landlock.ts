/** Landlock cannot be undone: it confines a VMM until the process ends. */
import { InvalidRequestError } from "../errors/errors.ts";
import type { VmConfig } from "../generated/types.gen.ts";
import { allowedDirectoriesOf, pathsOf } from "./config_paths.ts";

/**
 * Refuses to replace a VM where the confined VMM could boot only one of both.
 *
 * @throws {InvalidRequestError} `config` with the path that is out of reach.
 */
export function assertReplaceable(old: VmConfig, next: VmConfig): void {
  if (old.landlock_enable) {
    assertWithin(next, old, "names");
  } else if (next.landlock_enable) {
    // The old VM could not be brought back.
    assertWithin(old, next, "does not allow");
  }
}

function assertWithin(inner: VmConfig, outer: VmConfig, verb: string): void {
  const allowed = new Set([...pathsOf(outer), outer.rng?.src ?? DEFAULT_RNG]);
  const directories = allowedDirectoriesOf(outer);
  const missing = pathsOf(inner).find((path) =>
    !allowed.has(path) && !path.startsWith(PSEUDO_TERMINALS) &&
    !directories.some((directory) => isWithin(path, directory))
  );
  if (missing === undefined) return;
  throw new InvalidRequestError(
    "invalid_request",
    "config",
    `landlock_enable confines the VMM to the files of one VM until the VMM ends, and the new configuration ${verb} "${missing}"; start another VMM for it`,
  );
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || directory === "/" ||
    path.startsWith(`${directory}/`);
}

/** The VMM's default of `rng.src`. */
const DEFAULT_RNG = "/dev/urandom";
/** The VMM chooses the terminal of a console in mode `Pty`. */
const PSEUDO_TERMINALS = "/dev/pts/";
