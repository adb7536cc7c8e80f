/** What a rule sees beside its item. */
import { type Config, totalRam } from "../config.ts";

/** In what the releases differ. */
export interface RuleRelease {
  readonly badIdentifier: string;
  readonly reservedDeviceOn: "first" | "every";
  readonly zoneHugepageRules: boolean;
}

/** One pass over a configuration, or over a part of one that is not known. */
export class RuleContext {
  readonly facts: RuleRelease;
  /** Whether a path exists on the host. */
  readonly exists: (path: string) => boolean;
  readonly #config: Config | undefined;

  /** Without a configuration, no rule that asks for one is broken. */
  constructor(
    config: Config | undefined,
    facts: RuleRelease,
    exists: (path: string) => boolean,
  ) {
    this.#config = config;
    this.facts = facts;
    this.exists = exists;
  }

  get bootVcpus(): number {
    return this.#config?.cpus.boot_vcpus ?? Infinity;
  }

  /** PCI segments. */
  get segments(): number {
    if (this.#config === undefined) return Infinity;
    return this.#config.platform?.num_pci_segments ?? 1;
  }

  /** Whether all of a segment is behind the virtual IOMMU. */
  isIommuSegment(segment: number): boolean {
    return this.#config?.platform?.iommu_segments?.includes(segment) ?? false;
  }

  /** Whether there is a group of this id, whose rate limit disks share. */
  hasGroup(group: string): boolean {
    return this.#config === undefined ||
      (this.#config.rate_limit_groups ?? []).some(({ id }) => id === group);
  }

  /** Whether VFIO devices may be given as file descriptors. */
  get hasIommufd(): boolean {
    return this.#config === undefined ||
      this.#config.platform?.iommufd_fd !== undefined;
  }

  /** Whether VFIO devices reach each other's memory. */
  get p2pDma(): boolean {
    return this.#config?.platform?.vfio_p2p_dma !== false;
  }

  /** Bytes of RAM. */
  get ram(): bigint | undefined {
    return this.#config && totalRam(this.#config.memory);
  }

  /** Whether the VMM looks for memory zones where there are none. */
  get missesZones(): boolean {
    if (this.#config === undefined) return false;
    const { shared, hugepages, size, zones } = this.#config.memory;
    return !shared && !hugepages && BigInt(size) === 0n && zones === undefined;
  }

  /** Whether other processes can be given the guest's memory. */
  get sharedMemory(): boolean {
    if (this.#config === undefined) return true;
    const { shared, hugepages, size, zones } = this.#config.memory;
    if (shared || hugepages) return true;
    return BigInt(size) === 0n &&
      (zones ?? []).every((zone) => zone.shared || zone.hugepages);
  }
}
