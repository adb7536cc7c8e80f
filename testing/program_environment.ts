/** The environment variables that carry options to the stand-in program. */
import type { FaultRule } from "./api/fault_rule.ts";
import type { GuestScript } from "./machine/guest_script.ts";
import type { FakeVmmOptions } from "./options.ts";
import type { ReleaseName } from "./release_type.ts";

/** Options of the stand-in program. */
export interface FakeProgramOptions
  extends Pick<FakeVmmOptions, "release" | "files" | "faults"> {
  /**
   * The behaviour of the guest. The program is another process: a script
   * with functions is a module, whose default export is the `GuestScript`.
   */
  readonly guest?: GuestScript | URL;
}

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string>>;

/**
 * Returns the variables that carry the options.
 *
 * @throws {TypeError} if the guest has a function, which no variable can carry.
 */
export function toEnvironment(
  { release, files, guest, faults }: FakeProgramOptions,
): Environment {
  return {
    ...release && { FAKE_VMM_RELEASE: release },
    ...files && { FAKE_VMM_FILES: files },
    ...guest && {
      FAKE_VMM_GUEST: guest instanceof URL ? guest.href : toJson(guest),
    },
    ...faults && { FAKE_VMM_FAULTS: JSON.stringify(faults, keepInfinity) },
  };
}

/**
 * Reads the options from the variables.
 *
 * @throws {SyntaxError} if a variable has invalid JSON.
 */
export function fromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): FakeProgramOptions {
  const { FAKE_VMM_RELEASE: release, FAKE_VMM_FILES: files } = environment;
  const { FAKE_VMM_GUEST: text } = environment;
  const guest = text !== undefined && URL.canParse(text)
    ? new URL(text)
    : parse<GuestScript>(environment, "FAKE_VMM_GUEST");
  const faults = parse<FaultRule[]>(environment, "FAKE_VMM_FAULTS");
  return {
    ...release !== undefined && { release: release as ReleaseName },
    ...files !== undefined && { files: files === "any" ? files : "real" },
    ...guest !== undefined && { guest },
    ...faults !== undefined && { faults },
  };
}

/** JSON drops functions without a word. */
function toJson(guest: GuestScript): string {
  return JSON.stringify(guest, (key, value) => {
    if (typeof value !== "function") return value;
    throw new TypeError(
      `guest: ${key} is a function, and the program is another process; give the URL of a module whose default export is the guest: new URL("./guest/scripted_guest.ts", import.meta.url)`,
    );
  });
}

function parse<T>(
  environment: Readonly<Record<string, string | undefined>>,
  name: string,
): T | undefined {
  const text = environment[name];
  if (text === undefined) return undefined;
  try {
    return JSON.parse(
      text,
      (_, value) => value === INFINITY ? Infinity : value,
    ) as T;
  } catch {
    throw new SyntaxError(`${name} is no JSON: ${text}`);
  }
}

/** JSON has no infinity, which `times` of a fault can be. */
const INFINITY = "Infinity";

function keepInfinity(_: string, value: unknown): unknown {
  return value === Infinity ? INFINITY : value;
}
