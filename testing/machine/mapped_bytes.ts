/** The files that devices map into the guest. */
import type { PmemConfigInfo } from "../../src/generated/types.gen.ts";
import type { Device } from "../../src/schema/config.ts";
import type { DeviceKind } from "./device_kind.ts";
import type { Machine } from "./machine.ts";

/** Bytes of a file that a device maps into the guest, if it maps one. */
export function mappedBytes(
  { parts }: Machine,
  kind: DeviceKind,
  device: Device,
): bigint | undefined {
  if (kind !== "pmem") return undefined;
  const { size, file } = device as PmemConfigInfo;
  return BigInt(size ?? parts.host.size(file));
}
