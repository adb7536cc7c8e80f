/** The VM that a rule's item belongs to. */
import { type Config, totalRam } from "../config.ts";

/** A configuration, or an unknown one, which breaks no rule. */
export class RuleContext {
  readonly #config: Config | undefined;

  constructor(config: Config | undefined) {
    this.#config = config;
  }

  get bootVcpus(): number {
    return this.#config?.cpus.boot_vcpus ?? Infinity;
  }

  /** The number of PCI segments. */
  get segments(): number {
    if (this.#config === undefined) return Infinity;
    return this.#config.platform?.num_pci_segments ?? 1;
  }

  /** True if a whole segment is behind the virtual IOMMU. */
  isIommuSegment(segment: number): boolean {
    return this.#config?.platform?.iommu_segments?.includes(segment) ?? false;
  }

  /** True if `rate_limit_groups` has the id. */
  hasRateLimitGroup(group: string): boolean {
    return this.#config === undefined ||
      (this.#config.rate_limit_groups ?? []).some(({ id }) => id === group);
  }

  /** True if VFIO devices may be file descriptors. */
  get hasIommufd(): boolean {
    return this.#config === undefined ||
      this.#config.platform?.iommufd_fd !== undefined;
  }

  /** True if VFIO devices may access the memory of each other. */
  get p2pDma(): boolean {
    return this.#config?.platform?.vfio_p2p_dma !== false;
  }

  /** Bytes of RAM. */
  get ram(): bigint | undefined {
    return this.#config && totalRam(this.#config.memory);
  }

  /** True if the VMM reads memory zones that are not there, and panics. */
  get lacksZones(): boolean {
    if (this.#config === undefined) return false;
    const { shared, hugepages, size, zones } = this.#config.memory;
    return !shared && !hugepages && BigInt(size) === 0n && zones === undefined;
  }

  /** True if another process can map the memory of the guest. */
  get hasSharedMemory(): boolean {
    if (this.#config === undefined) return true;
    const { shared, hugepages, size, zones } = this.#config.memory;
    if (shared || hugepages) return true;
    return BigInt(size) === 0n &&
      (zones ?? []).every((zone) => zone.shared || zone.hugepages);
  }
}
