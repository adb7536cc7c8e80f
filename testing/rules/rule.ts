/** What a rule is: when it is broken, and what is said then. */
import type { Config } from "../config.ts";

/** A rule about an item; the first broken one of a table counts. */
export type Rule<Item> = readonly [
  broken: (item: Item, check: Check) => boolean,
  message: (item: Item, check: Check) => string,
];

/** In what the releases differ. */
export interface Facts {
  readonly badIdentifier: string;
  readonly reservedDeviceOn: "first" | "every";
  readonly zoneHugepageRules: boolean;
}

/** A rule that is broken. */
export class BrokenRule extends Error {
  /** `panic` is a bug of the VMM that such a configuration meets. */
  readonly kind: "invalid" | "conflict" | "panic";
  /** What stands before the message in the chain. */
  readonly above: readonly string[];

  constructor(
    message: string,
    kind: "invalid" | "conflict" | "panic" = "invalid",
    above: readonly string[] = [],
  ) {
    super(message);
    this.kind = kind;
    this.above = above;
  }
}

/** One pass over a configuration. */
export class Check {
  readonly config: Config;
  readonly facts: Facts;
  /** Whether a path exists on the host. */
  readonly exists: (path: string) => boolean;
  readonly #ids = new Set<string>();

  constructor(
    config: Config,
    facts: Facts,
    exists: (path: string) => boolean,
  ) {
    this.config = config;
    this.facts = facts;
    this.exists = exists;
  }

  /** @throws {BrokenRule} for the first rule that an item breaks. */
  hold<Item>(rules: readonly Rule<Item>[], item: Item): void {
    for (const [broken, message] of rules) {
      if (broken(item, this)) throw new BrokenRule(message(item, this));
    }
  }

  /** Takes an id; all ids share one space. */
  claim(id: string | undefined): void {
    if (id === undefined) return;
    if (id.startsWith("__")) {
      throw new BrokenRule(`Identifier ${id} ${this.facts.badIdentifier}`);
    }
    if (this.#ids.has(id)) {
      throw new BrokenRule(`Identifier ${id} is not unique`, "conflict");
    }
    this.#ids.add(id);
  }

  get bootVcpus(): number {
    return this.config.cpus.boot_vcpus;
  }

  get segments(): number {
    return this.config.platform?.num_pci_segments ?? 1;
  }

  /** Whether other processes can be given the guest's memory. */
  get sharedMemory(): boolean {
    const { memory } = this.config;
    if (memory.shared || memory.hugepages) return true;
    if (BigInt(memory.size) !== 0n) return false;
    if (memory.zones === undefined) {
      throw new BrokenRule("no memory zones to look at", "panic");
    }
    return memory.zones.every(({ shared, hugepages }) => shared || hugepages);
  }
}

/** Whether a size is a power of two. */
export function isPowerOfTwo(size: number | bigint): boolean {
  const exact = BigInt(size);
  return exact > 0n && (exact & (exact - 1n)) === 0n;
}
