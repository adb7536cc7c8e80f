/** The device tree of `vm.info`. */
import type { DeviceNode } from "../../src/generated/types.gen.ts";
import { isPlainPci } from "./device_kind.ts";
import type { LiveDevice } from "./live_device.ts";

/** Prefix of the PCI node of a virtio device; the device id follows. */
export const WRAPPER = "_virtio-pci-";

/**
 * Builds the tree of all devices.
 *
 * @param plain Nodes that are not on the PCI bus, with the bytes they map.
 */
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

/** Writes null for what is not set, as old releases do. */
export function withNulls(tree: Record<string, DeviceNode>): unknown {
  return Object.fromEntries(
    Object.entries(tree).map(([id, node]) => [
      id,
      { parent: null, pci_bdf: null, ...node },
    ]),
  );
}

type Resource = DeviceNode["resources"][number];

const FIRST_BAR = 70368735789056;
const FIRST_LOW_BAR = 3891789824;
const BAR_STEP = 8388608;
const BAR_SIZE = 524288;

/** A register region, at the addresses of a host with 46 address bits. */
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
