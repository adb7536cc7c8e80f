/** The counters of devices. Latencies are in microseconds. */
import type { DeviceKind } from "./device_kind.ts";

/** The counters of one device, by name. */
export type Counters = Record<string, bigint>;

/** Traffic of a disk or a net device. */
export interface Traffic {
  /** The number of requests or frames. Default: `1`. */
  readonly ops?: number;
  /** The bytes of all requests or frames together. */
  readonly bytes: number;
  /** Latency of each request in microseconds, for disks. Default: `100`. */
  readonly latencyUs?: number;
}

const UNSET = 2n ** 64n - 1n;
/** Average latencies are stored with this factor. */
const SCALE = 10000n;

const BLOCK: Readonly<Counters> = {
  read_bytes: 0n,
  read_ops: 0n,
  read_latency_min: UNSET,
  read_latency_max: UNSET,
  read_latency_avg: UNSET / SCALE,
  write_bytes: 0n,
  write_ops: 0n,
  write_latency_min: UNSET,
  write_latency_max: UNSET,
  write_latency_avg: UNSET / SCALE,
};

const NET: Readonly<Counters> = {
  rx_bytes: 0n,
  rx_frames: 0n,
  tx_bytes: 0n,
  tx_frames: 0n,
};

/** Creates the counters of a new device, if its kind has any. */
export function freshCounters(kind: DeviceKind): Counters | undefined {
  if (kind === "block") return { ...BLOCK };
  if (kind === "net") return { ...NET };
  return undefined;
}

/**
 * Counts traffic of a device.
 *
 * @throws {TypeError} if the device does not have such traffic.
 */
export function countTraffic(
  id: string,
  counters: Counters | undefined,
  direction: "read" | "write" | "rx" | "tx",
  traffic: Traffic,
): void {
  const ofDisk = direction === "read" || direction === "write";
  if (!(`${direction}_bytes` in (counters ?? {}))) {
    throw new TypeError(
      `no ${ofDisk ? "disk" : "net device"} of a booted VM is called ${id}`,
    );
  }
  if (ofDisk) countDisk(counters!, direction, traffic);
  else countNet(counters!, direction, traffic);
}

function countDisk(
  counters: Counters,
  direction: "read" | "write",
  { ops = 1, bytes, latencyUs = 100 }: Traffic,
): void {
  const latency = BigInt(latencyUs);
  const seen = counters[`${direction}_ops`] !== 0n;
  const set = (name: string, value: bigint) =>
    counters[`${direction}_${name}`] = value;
  const get = (name: string) => counters[`${direction}_${name}`]!;
  const min = get("latency_min");
  const max = get("latency_max");
  set("latency_min", latency < min ? latency : min);
  set("latency_max", max === UNSET || latency > max ? latency : max);
  const before = seen ? get("latency_avg") * get("ops") : 0n;
  set("ops", get("ops") + BigInt(ops));
  set("bytes", get("bytes") + BigInt(bytes));
  set("latency_avg", (before + latency * BigInt(ops)) / get("ops"));
}

function countNet(
  counters: Counters,
  direction: "rx" | "tx",
  { ops = 1, bytes }: Traffic,
): void {
  counters[`${direction}_frames`]! += BigInt(ops);
  counters[`${direction}_bytes`]! += BigInt(bytes);
}
