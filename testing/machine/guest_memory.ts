/** The memory of a VM, as far as the host and the address space limit it. */
import type { MemoryZoneConfig } from "../../src/generated/types.gen.ts";
import type { Config } from "../../src/schema/config.ts";
import { memoryViolations } from "../../src/schema/rules/memory.ts";
import type { Host } from "./host.ts";
import { firstChain } from "./validate.ts";
import {
  attempt,
  Killed,
  memoryManagerError,
  osError,
  Panic,
} from "./vmm_error.ts";

const MANAGER = "Memory manager error";
const HUGE_PAGES = "/dev/hugepages";
const STAT = "Failed to stat filesystem";

/**
 * Allocates the memory of a VM.
 *
 * @throws {VmmError} if the configuration or the host does not allow it.
 */
export function allocateMemory(host: Host, config: Config): void {
  const problem = firstChain(memoryViolations(config.memory));
  if (problem !== undefined) throw memoryManagerError(...problem);
  const zones = zonesOf(config);
  for (const zone of zones) allocateZone(host, zone);
  if (zones.some(({ hotplug_size }) => isZero(hotplug_size))) {
    throw memoryManagerError(
      "Invalid size for resizing. Can be anything except 0",
    );
  }
  const bits = addressBits(config);
  if (bits > 15 && bits <= 20) {
    throw memoryManagerError("Cannot create the system allocator");
  }
}

function allocateZone(
  host: Host,
  { size, file, shared, hugepages, hugepage_size }: Partial<MemoryZoneConfig>,
): void {
  if (file != null) {
    attempt(() => host.assertExists(file), MANAGER, STAT);
    if (host.isDirectory(file)) {
      throw memoryManagerError(
        "Using a directory as a backing file for memory is not supported",
      );
    }
    attempt(
      () => host.open(file, shared ? "r+" : "r"),
      MANAGER,
      "Failed to create shared file",
    );
  } else if (hugepages) {
    if (hugepage_size == null) {
      attempt(() => host.assertExists(HUGE_PAGES), MANAGER, STAT);
    }
    const page = BigInt(hugepage_size ?? 2 << 20);
    attempt(
      () => host.assertHugePages(page & -page),
      MANAGER,
      "Failed to create shared file",
    );
  }
  if (isZero(size)) {
    throw memoryManagerError(
      "Error from region creation",
      osError({ code: "EINVAL" }),
    );
  }
}

/** @throws {Panic} if the memory does not fit into the address space. */
export function assertAddressSpace(config: Config): void {
  const bits = addressBits(config);
  if (bits <= 15) return;
  let end = 4n << 30n;
  const boot = zonesOf(config)
    .reduce((total, { size = 0 }) => total + BigInt(size!), 0n);
  if (boot > 3n << 30n) end = boot + (1n << 30n);
  for (const { hotplug_size } of zonesOf(config)) {
    end += BigInt(hotplug_size ?? 0);
  }
  if (end > (1n << BigInt(bits)) - (1n << 20n)) {
    throw new Panic("the memory exceeds the address space");
  }
}

/** @throws {Killed} if huge pages were promised that the host does not have. */
export function touchMemory(host: Host, config: Config): void {
  for (const { file, hugepages, hugepage_size } of zonesOf(config)) {
    if (file != null || !hugepages) continue;
    if (!host.hasFreeHugePages(BigInt(hugepage_size ?? 2 << 20))) {
      throw new Killed("SIGBUS");
    }
  }
}

/** Bytes of guest memory from address 0 on that hold data. */
export function lowMemory(host: Host, config: Config): bigint {
  const [{ size, file } = { size: 0 }] = zonesOf(config);
  const bytes = BigInt(size ?? 0);
  if (file == null) return bytes;
  const content = host.isReal ? BigInt(host.size(file)) : bytes;
  return content < bytes ? content : bytes;
}

/** The zones of the memory; without any, all of it is one zone. */
function zonesOf({ memory }: Config): readonly Partial<MemoryZoneConfig>[] {
  return memory.zones ?? [memory];
}

/** Bits of guest addresses. A host has at least as many. */
export function addressBits({ cpus }: Config): number {
  return Math.min(cpus.max_phys_bits, 46);
}

function isZero(size: number | bigint | null | undefined): boolean {
  return size != null && BigInt(size) === 0n;
}
