/** Ids of devices and memory zones: all share one namespace. */
import type { Config } from "../config.ts";
import { joinPath, type Violation, violation } from "./rule.ts";

export class Ids {
  readonly #used = new Set<string>();

  /** Adds the id of the item at this path, and yields what is wrong with it. */
  *add(id: string | undefined, path: string): Generator<Violation> {
    if (id === undefined) return;
    const field = joinPath(path, "id");
    if (id.startsWith("__")) {
      yield violation(field, `Identifier ${id} is not valid`, {
        advice: 'an id must not begin with "__"',
      });
    }
    if (this.#used.has(id)) {
      const kind = "conflict";
      yield violation(field, `Identifier ${id} is not unique`, { kind });
    }
    this.#used.add(id);
  }
}

/** Devices in lists, which have ids that the user chooses. */
export const DEVICE_LISTS = [
  "devices",
  "disks",
  "fs",
  "generic_vhost_user",
  "net",
  "pmem",
  "user_devices",
  "vdpa",
] as const;

/** The id of memory without zones. */
const MEMORY = "mem0";

/** Devices that have the id of the device of virtio-mem. */
export function* memoryIdViolations(config: Config): Generator<Violation> {
  const { hotplug_method, hotplug_size, zones } = config.memory;
  if (hotplug_method !== "VirtioMem" || zones || hotplug_size === undefined) {
    return;
  }
  for (const key of DEVICE_LISTS) {
    const devices: readonly { id?: string }[] = config[key] ?? [];
    for (const [index, { id }] of devices.entries()) {
      if (id !== MEMORY) continue;
      const message = `Identifier ${id} is not unique`;
      const advice = '"memory" has this id';
      yield violation(`${key}[${index}].id`, message, { advice });
    }
  }
}
