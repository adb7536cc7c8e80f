/** Options that several flags share. */
import type { RateLimiterConfig } from "../generated/types.gen.ts";
import { type Reader, text, type Values } from "./reader.ts";
import { toggle, u16, u64, u8 } from "./values.ts";

/** The options of a PCI device that cannot be behind the virtual IOMMU. */
export type PlainPciReaders = Readonly<{
  id: Reader<string>;
  pci_segment: Reader<number>;
  pci_device_id: Reader<number>;
}>;

export const pciWithoutIommu: PlainPciReaders = {
  id: text,
  pci_segment: u16,
  pci_device_id: u8,
};

/** The options of every other PCI device. */
export type PciReaders = PlainPciReaders & Readonly<{ iommu: Reader<boolean> }>;

export const pci: PciReaders = { ...pciWithoutIommu, iommu: toggle };

/** A rate limiter, which JSON has as an object of two token buckets. */
export type LimiterReaders = Readonly<
  Record<
    `${"bw" | "ops"}_${"size" | "one_time_burst" | "refill_time"}`,
    Reader<number | bigint>
  >
>;

export const limiter: LimiterReaders = {
  bw_size: u64,
  bw_one_time_burst: u64,
  bw_refill_time: u64,
  ops_size: u64,
  ops_one_time_burst: u64,
  ops_refill_time: u64,
};

/** The token buckets that have a size and a time; there may be none. */
export function limiterOf(values: Values<LimiterReaders>): RateLimiterConfig {
  const bucket = (prefix: "bw" | "ops") => {
    const size = values[`${prefix}_size`] ?? 0;
    const refill_time = values[`${prefix}_refill_time`] ?? 0;
    const one_time_burst = values[`${prefix}_one_time_burst`] ?? 0;
    // With either of them 0, the program drops the bucket.
    if (size === 0 || refill_time === 0) return undefined;
    return { size, one_time_burst, refill_time };
  };
  const bandwidth = bucket("bw");
  const ops = bucket("ops");
  return { ...bandwidth && { bandwidth }, ...ops && { ops } };
}

/** As {@linkcode limiterOf}; undefined where there is no bucket. */
export function optionalLimiterOf(
  values: Values<LimiterReaders>,
): RateLimiterConfig | undefined {
  const config = limiterOf(values);
  return Object.keys(config).length === 0 ? undefined : config;
}
