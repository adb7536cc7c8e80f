/** Validates a configuration as `vm.boot` and hotplug do. */
import type { Config } from "../../src/schema/config.ts";
import { hasSince } from "../../src/generated_support/release.ts";
import { configViolations } from "../../src/schema/rules/all_config_rules.ts";
import { type Violation, violation } from "../../src/schema/rules/rule.ts";
import type { Host } from "./host.ts";
import { applyValidation } from "./apply_validation.ts";
import { Panic, VmmError } from "./vmm_error.ts";
import type { Release } from "../release_type.ts";

/**
 * Validates a whole configuration, and changes it as the VMM does meanwhile.
 *
 * @throws {VmmError} for the first rule that is broken.
 */
export function validate(release: Release, config: Config, host: Host): void {
  const [first] = ofRelease(
    release,
    withMissingPaths(configViolations(config), config, host),
  );
  applyValidation(config, first?.path);
  if (first !== undefined) throwFirst([first]);
}

/** @throws {VmmError} for the first rule that is broken. */
export function throwFirst(violations: Iterable<Violation>): void {
  for (const { kind, context, message } of violations) {
    if (kind === "fatal") throw new Panic(message);
    throw new VmmError(kind, "Failed to validate config", ...context, message);
  }
}

/** The end of the VMM's error chain for the first rule that is broken. */
export function firstChain(
  violations: Iterable<Violation>,
): string[] | undefined {
  for (const { context, message } of violations) return [...context, message];
  return undefined;
}

/** The rules that a release has, in its words. */
function* ofRelease(
  { name, invalidId, balloonWord }: Release,
  violations: Iterable<Violation>,
): Generator<Violation> {
  for (const { message, ...rest } of violations) {
    const { since, until } = rest;
    if (since !== undefined && !hasSince(name, since)) continue;
    if (until !== undefined && hasSince(name, until)) continue;
    const words = message.startsWith("Identifier ")
      ? message.replace(/is not valid$/, invalidId)
      : message.replace(/^Balloon(?= size)/, balloonWord);
    yield { ...rest, message: words };
  }
}

const LANDLOCK = /^landlock_rules\[(\d+)\]|^ivshmem/;

/** Adds the landlock rules whose path is not on the host, in the VMM's order. */
function* withMissingPaths(
  violations: Iterable<Violation>,
  { landlock_rules: rules = [] }: Config,
  host: Host,
): Generator<Violation> {
  let next = 0;
  const missing = function* (end: number) {
    for (; next < end; next++) {
      const { path } = rules[next]!;
      if (host.exists(path)) continue;
      const message = `Path ${JSON.stringify(path)} provided in ` +
        "landlock-rules does not exist";
      yield violation(`landlock_rules[${next}].path`, message);
    }
  };
  for (const broken of violations) {
    const [place, index = rules.length - 1] = LANDLOCK.exec(broken.path) ?? [];
    if (place !== undefined) yield* missing(Number(index) + 1);
    yield broken;
  }
  yield* missing(rules.length);
}
