/** `pci_segments`: the apertures of PCI segments. */
import type { PciSegmentConfigInfo } from "../../generated/types.gen.ts";
import { invalidSegment } from "./pci.ts";
import type { Rule } from "./rule.ts";

export const pciSegment: readonly Rule<PciSegmentConfigInfo>[] = [
  invalidSegment,
  zeroWeight("mmio32_aperture_weight"),
  zeroWeight("mmio64_aperture_weight"),
];

function zeroWeight(
  field: "mmio32_aperture_weight" | "mmio64_aperture_weight",
): Rule<PciSegmentConfigInfo> {
  return {
    field,
    when: ({ [field]: weight }) => weight === 0,
    message: "Invalid PCI segment aperture weight: 0",
  };
}
