/** PCI segments, slots, and what stands behind the virtual IOMMU. */
import type {
  PciSegmentConfigInfo,
  PlatformConfigInfo,
} from "../../generated/types.gen.ts";
import type { Device } from "../config.ts";
import type { Rule } from "./rule.ts";

/** What holds for every device on the bus. */
export const anyDevice: readonly Rule<Device>[] = [
  [
    ({ pci_segment }, { segments }) => pci_segment >= segments,
    ({ pci_segment }) => `Invalid PCI segment id: ${pci_segment}`,
    "pci_segment",
  ],
  [
    ({ pci_segment, iommu }, around) =>
      !iommu && around.isIommuSegment(pci_segment),
    ({ pci_segment }) =>
      `Device is on an IOMMU PCI segment (${pci_segment}) but not placed ` +
      "behind IOMMU",
    "iommu",
  ],
  [
    ({ pci_device_id: slot }) => slot !== undefined && slot >= 32,
    ({ pci_device_id: slot }) =>
      `Given PCI device ID (${slot}) is out of the supported range of 0..32`,
    "pci_device_id",
  ],
  [
    ({ pci_device_id: slot, pci_segment }, { facts }) =>
      slot === 0 && (pci_segment === 0 || facts.reservedDeviceOn === "every"),
    () => "Given PCI device ID (0) is reserved",
    "pci_device_id",
  ],
];

/** Holds for devices that another process drives. */
export const noIommu: Rule<Device> = [
  ({ iommu }) => iommu === true,
  () => "Device does not support being placed behind IOMMU",
  "iommu",
];

export const pciSegment: readonly Rule<PciSegmentConfigInfo>[] = [
  [
    ({ pci_segment }, { segments }) => pci_segment >= segments,
    ({ pci_segment }) => `Invalid PCI segment id: ${pci_segment}`,
    "pci_segment",
  ],
  noWeight("mmio32_aperture_weight"),
  noWeight("mmio64_aperture_weight"),
];

function noWeight(
  field: "mmio32_aperture_weight" | "mmio64_aperture_weight",
): Rule<PciSegmentConfigInfo> {
  return [
    ({ [field]: weight }) => weight === 0,
    () => "Invalid PCI segment aperture weight: 0",
    field,
  ];
}

const MAX_SEGMENTS = 96;

export const platform: readonly Rule<PlatformConfigInfo>[] = [
  [
    ({ num_pci_segments: count }) => count === 0 || count > MAX_SEGMENTS,
    ({ num_pci_segments: count }) =>
      `Number of PCI segments (${count}) not in range of 1 to ${MAX_SEGMENTS}`,
    "num_pci_segments",
  ],
  [
    ({ iommu_segments, num_pci_segments: count }) =>
      (iommu_segments ?? []).some((segment) => segment >= count),
    ({ iommu_segments, num_pci_segments: count }) =>
      "Invalid PCI segment id: " +
      iommu_segments!.find((segment) => segment >= count),
    "iommu_segments",
  ],
  [
    ({ iommu_address_width_bits: bits }) => bits > 64,
    ({ iommu_address_width_bits: bits }) =>
      `IOMMU address width in bits (${bits}) should be less than or equal to 64`,
    "iommu_address_width_bits",
  ],
  [
    ({ iommufd, iommufd_fd }) => iommufd_fd !== undefined && !iommufd,
    () => "Platform `iommufd_fd=<fd>` requires `iommufd=on`",
    "iommufd_fd",
  ],
];
