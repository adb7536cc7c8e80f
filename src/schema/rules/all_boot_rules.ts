/** The rules of a whole configuration, and those that a boot checks later. */
import type { Config } from "../config.ts";
import { configViolations } from "./all_config_rules.ts";
import { consoleSocketViolations } from "./console.ts";
import { RuleContext } from "./context.ts";
import { portViolations } from "./debug_console.ts";
import { imageViolations } from "./disk_images.ts";
import { addresses } from "./formats.ts";
import { memoryIdViolations } from "./ids.ts";
import { memoryViolations } from "./memory.ts";
import { memorySizeViolations } from "./memory_sizes.ts";
import { unbuildableNodes } from "./numa.ts";
import { pathViolations } from "./paths.ts";
import { cmdlineViolations } from "./payload.ts";
import { uuidViolations } from "./platform.ts";
import { pmemViolations } from "./pmem.ts";
import { type Violation, violationsOf } from "./rule.ts";
import { slotViolations } from "./slots.ts";
import { tapViolations } from "./taps.ts";

/** Everything that `vm.create` and `vm.boot` refuse on every host. */
export function* bootViolations(config: Config): Generator<Violation> {
  const context = new RuleContext(config);
  for (const [index, item] of (config.net ?? []).entries()) {
    yield* violationsOf(item, addresses, `net[${index}]`, context);
  }
  yield* consoleSocketViolations(config);
  yield* memoryViolations(config.memory);
  yield* configViolations(config);
  yield* memorySizeViolations(config.memory);
  yield* unbuildableNodes(config);
  yield* cmdlineViolations(config);
  yield* uuidViolations(config);
  yield* portViolations(config);
  yield* memoryIdViolations(config);
  yield* slotViolations(config);
  yield* deviceViolations(config);
}

/** The rules about devices alone, so that a part of the VM suffices. */
export function* deviceViolations(
  config: Partial<Config>,
): Generator<Violation> {
  yield* imageViolations(config);
  yield* pathViolations(config);
  yield* tapViolations(config);
  yield* pmemViolations(config);
}
