/** The counters of devices; latencies are in microseconds. */
import type { DeviceKind } from "./device_tree.ts";

/** The counters of one device, by name. */
export type Counters = Record<string, bigint>;

/** What the guest did with a disk or a net device. */
export interface Traffic {
  /** Requests or frames. */
  readonly ops?: number;
  /** Of all of them together. */
  readonly bytes: number;
  /** Of each request; disks only. */
  readonly latencyUs?: number;
}

const UNSET = 2n ** 64n - 1n;
/** Averages are kept this much larger, and start as the others do. */
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

/** The counters that a kind of device starts with, if it has any. */
export function freshCounters(kind: DeviceKind): Counters | undefined {
  if (kind === "block") return { ...BLOCK };
  if (kind === "net") return { ...NET };
  return undefined;
}

/** Counts requests of a disk. */
export function countDisk(
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

/** Counts frames of a net device. */
export function countNet(
  counters: Counters,
  direction: "rx" | "tx",
  { ops = 1, bytes }: Traffic,
): void {
  counters[`${direction}_frames`]! += BigInt(ops);
  counters[`${direction}_bytes`]! += BigInt(bytes);
}
