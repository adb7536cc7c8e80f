/** The rules, as the VMM's answers tell of them. */
import type { Config } from "../src/schema/config.ts";
import { Around } from "../src/schema/rules/around.ts";
import { brokenRules } from "../src/schema/rules/check.ts";
import type { Broken } from "../src/schema/rules/rule.ts";
import type { Host } from "./host.ts";
import { Panic } from "./machine.ts";
import { Refusal } from "./refusal.ts";
import type { Release } from "./release.ts";

/** Checks a whole configuration; the first broken rule is the answer. */
export function validate(release: Release, config: Config, host: Host): void {
  const around = new Around(config, release, (path) => host.exists(path));
  ruled(brokenRules(config, around));
}

/** Turns the first broken rule into the refusal that it is. */
export function ruled(broken: Iterable<Broken>): void {
  for (const { kind, above, message } of broken) {
    if (kind === "panic") throw new Panic(message);
    throw new Refusal(kind, "Failed to validate config", ...above, message);
  }
}

/** What the VMM's chain ends with, for the first of them. */
export function chainOf(broken: Iterable<Broken>): string[] | undefined {
  for (const { above, message } of broken) return [...above, message];
  return undefined;
}
