/** `platform`: PCI segments, the virtual IOMMU and iommufd. */
import type { PlatformConfigInfo } from "../../generated/types.gen.ts";
import type { Rule } from "./rule.ts";

const MAX_SEGMENTS = 96;
const MAX_ADDRESS_BITS = 64;

export const platform: readonly Rule<PlatformConfigInfo>[] = [
  {
    field: "num_pci_segments",
    when: ({ num_pci_segments: count }) => count === 0 || count > MAX_SEGMENTS,
    message: ({ num_pci_segments: count }) =>
      `Number of PCI segments (${count}) not in range of 1 to ${MAX_SEGMENTS}`,
  },
  {
    field: "iommu_segments",
    when: ({ iommu_segments = [], num_pci_segments: count }) =>
      iommu_segments.some((segment) => segment >= count),
    message: ({ iommu_segments = [], num_pci_segments: count }) =>
      "Invalid PCI segment id: " +
      iommu_segments.find((segment) => segment >= count),
    advice: 'raise "num_pci_segments"',
  },
  {
    field: "iommu_address_width_bits",
    when: ({ iommu_address_width_bits: bits }) => bits > MAX_ADDRESS_BITS,
    message: ({ iommu_address_width_bits: bits }) =>
      `IOMMU address width in bits (${bits}) should be less than or equal to ` +
      MAX_ADDRESS_BITS,
  },
  {
    field: "iommufd_fd",
    when: ({ iommufd, iommufd_fd }) => iommufd_fd !== undefined && !iommufd,
    message: "Platform `iommufd_fd=<fd>` requires `iommufd=on`",
  },
];
