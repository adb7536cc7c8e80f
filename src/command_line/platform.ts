/** `--platform`, `--pci-segment`, `--numa` and `--landlock-rules`. */
import type {
  LandlockConfig,
  NumaConfig,
  PciSegmentConfig,
  PlatformConfig,
} from "../generated/types.gen.ts";
import { given } from "./given.ts";
import {
  integer,
  lowerBits,
  pairs,
  texts,
  truncatedIntegers,
} from "./lists.ts";
import { OptionList } from "./option_list.ts";
import type { FlagValue } from "./parse_flags.ts";
import { text } from "./reader.ts";
import { i32, toggle, u16, u32, u8 } from "./values.ts";

const platformOnly = {
  num_pci_segments: u16,
  iommu_segments: truncatedIntegers(lowerBits(16)),
  iommu_address_width: u8,
  oem_strings: texts,
  iommufd_fd: i32,
  iommufd: toggle,
  vfio_p2p_dma: toggle,
  system_manufacturer: text,
  system_product_name: text,
  system_version: text,
  system_serial_number: text,
  system_uuid: text,
  system_sku_number: text,
  system_family: text,
  chassis_asset_tag: text,
  // The older names of `system_serial_number` and `system_uuid`.
  serial_number: text,
  uuid: text,
} as const;

/** Options that a build with a feature of the same name has. */
const confidential = { tdx: toggle, sev_snp: toggle } as const;

export function parsePlatform(value: FlagValue): PlatformConfig {
  const { hasFeature, knowsSince } = value.program;
  const list = new OptionList(value, {
    ...platformOnly,
    ...hasFeature("tdx") && { tdx: toggle },
    ...hasFeature("sev_snp") && { sev_snp: toggle },
  });
  const {
    iommu_address_width,
    serial_number,
    uuid,
    iommufd_fd,
    iommufd = iommufd_fd === undefined ? undefined : true,
    system_serial_number = serial_number,
    system_uuid = uuid,
    ...rest
  } = list.read(platformOnly);
  return given({
    ...rest,
    iommu_address_width_bits: iommu_address_width,
    iommufd,
    iommufd_fd,
    // Before v53.0, the configuration has the older names.
    ...knowsSince("v53.0")
      ? { system_serial_number, system_uuid }
      : { serial_number, uuid },
    ...list.read(confidential),
  });
}

const pciSegmentOptions = {
  pci_segment: u16,
  mmio32_aperture_weight: u32,
  mmio64_aperture_weight: u32,
} as const;

export function parsePciSegment(value: FlagValue): PciSegmentConfig {
  return new OptionList(value, pciSegmentOptions).read(pciSegmentOptions);
}

const numaOptions = {
  guest_numa_id: u32,
  cpus: truncatedIntegers(lowerBits(32)),
  distances: pairs(integer(64), integer(64)),
  device_id: text,
  memory_zones: texts,
  pci_segments: truncatedIntegers(lowerBits(16)),
} as const;

export function parseNuma(value: FlagValue): NumaConfig {
  const list = new OptionList(value, numaOptions);
  const { guest_numa_id: readId, ...others } = numaOptions;
  const { guest_numa_id } = list.read({ guest_numa_id: readId });
  // Before v51.0, the default is 0.
  const id = value.program.knowsSince("v51.0")
    ? list.require("guest_numa_id", guest_numa_id)
    : guest_numa_id ?? 0;
  const { distances, ...rest } = list.read(others);
  const { device_id, cpus, memory_zones } = rest;
  if (device_id !== undefined && (cpus ?? memory_zones) !== undefined) {
    const text = "excludes cpus and memory_zones";
    throw list.fault("conflicting_options", "device_id", device_id, text);
  }
  return given({
    guest_numa_id: id,
    ...rest,
    distances: distances?.map(([destination, distance]) => ({
      destination: lowerBits(32)(destination),
      distance: lowerBits(8)(distance),
    })),
  });
}

const landlockOptions = { path: text, access: text } as const;

export function parseLandlockRule(value: FlagValue): LandlockConfig {
  const list = new OptionList(value, landlockOptions);
  const { path, access } = list.read(landlockOptions);
  const rule = {
    path: list.require("path", path),
    access: list.require("access", access),
  };
  if ([...rule.access].length > 2) {
    const text = `must be r, w or rw, not ${JSON.stringify(access)}`;
    throw list.fault("invalid_value", "access", rule.access, text);
  }
  return rule;
}
