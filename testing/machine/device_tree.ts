/** Devices, and the tree that `vm.info` shows of them. */
import type { DeviceNode } from "../../src/generated/types.gen.ts";
import type { Counters } from "./counters.ts";

/** What a device is, as virtio calls it; `vfio` and `pvpanic` are plain PCI. */
export type DeviceKind =
  | "block"
  | "net"
  | "rng"
  | "console"
  | "generic"
  | "fs"
  | "pmem"
  | "vsock"
  | "mem"
  | "balloon"
  | "watchdog"
  | "vdpa"
  | "rtc"
  | "iommu"
  | "vfio"
  | "vfio-user"
  | "pvpanic";

/** A device on the PCI bus. */
export interface LiveDevice {
  readonly id: string;
  readonly kind: DeviceKind;
  /** Segment and slot. */
  readonly segment: number;
  readonly slot: number;
  readonly bdf: string;
  readonly counters: Counters | undefined;
  /** Gives back what it holds on the host. */
  release?: (() => void) | undefined;
  /** Whether its registers are in the lower 4 GiB, where firmware sees them. */
  readonly low: boolean;
  /** Bytes of a file that it maps into the guest. */
  readonly mapped: bigint | undefined;
  /** Whether the virtual IOMMU of the boot stands before it. */
  readonly behindIommu: boolean;
  /** Removal was asked for; the guest has not let go yet. */
  leaving: boolean;
}

/** Where a device was, when its VM was saved. */
export interface PciLocation {
  readonly bdf: string;
  readonly low: boolean;
}

/** What stands before the id of a device in that of its PCI node. */
export const WRAPPER = "_virtio-pci-";

/** Whether a device is its own PCI node. */
export function isPlainPci(kind: DeviceKind): boolean {
  return kind === "vfio" || kind === "vfio-user" || kind === "pvpanic";
}

/** The nodes of devices off and on the bus. */
export function treeOf(
  plain: ReadonlyMap<string, bigint | undefined>,
  devices: readonly LiveDevice[],
): Record<string, DeviceNode> {
  const tree: Record<string, DeviceNode> = {};
  for (const [id, mapped] of plain) {
    tree[id] = { id, resources: rangesAt(0, mapped), children: [] };
  }
  for (const [at, { id, kind, bdf, low, mapped }] of devices.entries()) {
    const resources = [barAt(at, low, kind === "pvpanic" ? 2 : BAR_SIZE)];
    if (isPlainPci(kind)) {
      tree[id] = { id, resources, children: [], pci_bdf: bdf };
      continue;
    }
    const parent = `${WRAPPER}${id}`;
    tree[parent] = { id: parent, resources, children: [id], pci_bdf: bdf };
    const ranges = rangesAt(at, mapped);
    tree[id] = { id, resources: ranges, parent, children: [] };
  }
  return tree;
}

type Resource = DeviceNode["resources"][number];

const FIRST_BAR = 70368735789056;
const FIRST_LOW_BAR = 3891789824;
const BAR_STEP = 8388608;
const BAR_SIZE = 524288;

/** A region as hosts of 46 address bits give it. */
function barAt(at: number, low: boolean, size: number): Resource {
  return {
    PciBar: {
      index: 0,
      base: low ? FIRST_LOW_BAR - BAR_SIZE * at : FIRST_BAR - BAR_STEP * at,
      size,
      type_: low ? "Mmio32" : "Mmio64",
      prefetchable: false,
    },
  };
}

function rangesAt(at: number, mapped: bigint | undefined): Resource[] {
  if (mapped === undefined) return [];
  const size = Number(mapped);
  return [{
    MmioAddressRange: { base: FIRST_BAR - BAR_STEP * at - size, size },
  }];
}
