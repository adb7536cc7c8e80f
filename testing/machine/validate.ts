/** The rules, as the VMM's answers tell of them. */
import type { Config } from "../../src/schema/config.ts";
import { RuleContext } from "../../src/schema/rules/context.ts";
import { configViolations } from "../../src/schema/rules/config.ts";
import type { Violation } from "../../src/schema/rules/rule.ts";
import type { Host } from "./host.ts";
import { Panic } from "./machine.ts";
import { VmmError } from "./vmm_error.ts";
import type { Release } from "../release.ts";

/** Checks a whole configuration; the first broken rule is the answer. */
export function validate(release: Release, config: Config, host: Host): void {
  const around = new RuleContext(config, release, (path) => host.exists(path));
  throwFirst(configViolations(config, around));
}

/** Turns the first broken rule into the refusal that it is. */
export function throwFirst(broken: Iterable<Violation>): void {
  for (const { kind, above, message } of broken) {
    if (kind === "panic") throw new Panic(message);
    throw new VmmError(kind, "Failed to validate config", ...above, message);
  }
}

/** What the VMM's chain ends with, for the first of them. */
export function firstChain(broken: Iterable<Violation>): string[] | undefined {
  for (const { above, message } of broken) return [...above, message];
  return undefined;
}
