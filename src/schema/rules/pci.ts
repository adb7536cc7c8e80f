/** The place of a device on the PCI bus: its segment, slot and IOMMU. */
import type { Device } from "../config.ts";
import type { Rule } from "./rule.ts";

const SLOTS = 32;
const RESERVED = "Given PCI device ID (0) is reserved";
const SLOT_ADVICE = "use 1 to 31";

export const invalidSegment: Rule<{ pci_segment?: number }> = {
  field: "pci_segment",
  when: ({ pci_segment = 0 }, { segments }) => pci_segment >= segments,
  message: ({ pci_segment }) => `Invalid PCI segment id: ${pci_segment}`,
  advice: 'raise "platform.num_pci_segments"',
};

const fatalSegment: Rule<Device> = {
  ...invalidSegment,
  when: ({ pci_segment = 0 }, { segments }) =>
    segments > 0 && pci_segment >= segments,
  message: ({ pci_segment }) => `PCI segment ${pci_segment} stops the VMM`,
  kind: "fatal",
  until: "v53.0",
};

/** The rules for every device on the bus. */
export const anyDevice: readonly Rule<Device>[] = [
  { ...invalidSegment, since: "v53.0" },
  fatalSegment,
  {
    field: "iommu",
    when: ({ pci_segment = 0, iommu }, context) =>
      !iommu && context.isIommuSegment(pci_segment),
    message: ({ pci_segment }) =>
      `Device is on an IOMMU PCI segment (${pci_segment}) but not placed ` +
      "behind IOMMU",
    advice: 'set "iommu" to true',
  },
  {
    field: "pci_device_id",
    when: ({ pci_device_id: slot }) => slot !== undefined && slot >= SLOTS,
    message: ({ pci_device_id: slot }) =>
      `Given PCI device ID (${slot}) is out of the supported range of ` +
      `0..${SLOTS}`,
    advice: SLOT_ADVICE,
  },
  {
    field: "pci_device_id",
    when: ({ pci_device_id: slot, pci_segment = 0 }) =>
      slot === 0 && pci_segment === 0,
    message: RESERVED,
    advice: SLOT_ADVICE,
  },
  {
    field: "pci_device_id",
    when: ({ pci_device_id: slot, pci_segment = 0 }) =>
      slot === 0 && pci_segment !== 0,
    message: RESERVED,
    advice: SLOT_ADVICE,
    until: "v54.0",
  },
];

/** For devices that another process drives. */
export const noIommu: Rule<Device> = {
  field: "iommu",
  when: ({ iommu }) => iommu === true,
  message: "Device does not support being placed behind IOMMU",
};
