/** `platform`: PCI segments, the virtual IOMMU and iommufd. */
import type { PlatformConfigInfo } from "../../generated/types.gen.ts";
import type { Config } from "../config.ts";
import { type Rule, type Violation, violation } from "./rule.ts";

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

const GROUPS = String.raw`[\da-fA-F]{8}(?:-[\da-fA-F]{4}){3}-[\da-fA-F]{12}`;
const UUID = new RegExp(
  `^(?:[\\da-fA-F]{32}|${GROUPS}|\\{${GROUPS}\\}|urn:uuid:${GROUPS})$`,
);

/** The UUID of the VM, by its name and its older name. */
export function* uuidViolations({ platform }: Config): Generator<Violation> {
  for (const key of ["system_uuid", "uuid"] as const) {
    const uuids: { system_uuid?: string; uuid?: string } = platform ?? {};
    const uuid = uuids[key];
    if (uuid === undefined || UUID.test(uuid)) continue;
    const advice = 'use a UUID such as "01234567-89ab-4cde-8f01-23456789abcd"';
    const message = `Failure to parse uuid: ${uuid}`;
    yield violation(`platform.${key}`, message, { advice });
  }
}
