/** The rules, as the VMM's answers tell of them. */
import type { Config } from "./config.ts";
import type { Host } from "./host.ts";
import { Panic } from "./machine.ts";
import { Refusal } from "./refusal.ts";
import type { Release } from "./release.ts";
import { checkConfig } from "./rules/check.ts";
import { BrokenRule, Check } from "./rules/rule.ts";

/** Checks a whole configuration; the first broken rule is the answer. */
export function validate(release: Release, config: Config, host: Host): void {
  const exists = (path: string) => host.exists(path);
  ruled(() => checkConfig(new Check(config, release, exists)));
}

/** Turns a broken rule into the refusal that it is. */
export function ruled(check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof BrokenRule)) throw error;
    const { kind, above, message } = error;
    if (kind === "panic") throw new Panic(message);
    throw new Refusal(kind, "Failed to validate config", ...above, message);
  }
}
