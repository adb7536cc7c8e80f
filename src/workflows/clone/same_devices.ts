/**
 * Compares the configuration of a clone with that of its snapshot. A VMM
 * restores any configuration, and the guest then runs with devices, memory or
 * CPUs that are not there.
 */
import { InvalidRequestError } from "../../errors/errors.ts";

/**
 * @throws {InvalidRequestError} with the path of the first difference that the
 * guest would not survive, such as `disks[0].id`.
 */
export function assertSameDevices(before: unknown, after: unknown): void {
  compare(before, after, []);
}

function compare(before: unknown, after: unknown, path: Path): void {
  const pattern = patternOf(path);
  if (FREE.has(pattern)) return;
  if (isScalar(before) || isScalar(after)) {
    if (isSame(before, after)) return;
    // Before v52.0, a snapshot has "iommu": false also where nobody set the key.
    if (path.at(-1) === "iommu" && !before && !after) return;
    if (pattern === "serial.mode" && isPort(before) && isPort(after)) return;
    throw refused(path, pattern, before, after);
  }
  if (Array.isArray(before) !== Array.isArray(after)) {
    throw refused(path, pattern, before, after);
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    if (before.length !== after.length) {
      throw refused(path, pattern, before.length, after.length);
    }
    before.forEach((item, at) => compare(item, after[at], [...path, at]));
    return;
  }
  const old = before as Values;
  const next = after as Values;
  for (const key of new Set([...Object.keys(old), ...Object.keys(next)])) {
    compare(own(old, key), own(next, key), [...path, key]);
  }
}

type Path = readonly (string | number)[];
type Values = Readonly<Record<string, unknown>>;

/** The value of a key; a key that JSON has with `null` is as if missing. */
function own(values: Values, key: string): unknown {
  return Object.hasOwn(values, key) ? values[key] ?? undefined : undefined;
}

function isScalar(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}

function isSame(before: unknown, after: unknown): boolean {
  const isNumber = (value: unknown) =>
    typeof value === "bigint" || Number.isInteger(value);
  return isNumber(before) && isNumber(after)
    // deno-lint-ignore eqeqeq -- 1 and 1n are the same size.
    ? before == after
    : (before ?? undefined) === (after ?? undefined);
}

/** The guest has the same serial port in every mode but `Off`. */
function isPort(mode: unknown): boolean {
  return typeof mode === "string" && mode !== "Off";
}

/** The path with `[]` in place of numbers, such as `disks[].path`. */
function patternOf(path: Path): string {
  return nameOf(path.map((step) => typeof step === "number" ? "" : step), "[]");
}

function nameOf(path: Path, index?: string): string {
  return path.reduce<string>(
    (text, step) =>
      typeof step === "number" || step === ""
        ? text + (index ?? `[${step}]`)
        : text === ""
        ? step
        : `${text}.${step}`,
    "",
  );
}

function refused(
  path: Path,
  pattern: string,
  before: unknown,
  after: unknown,
): InvalidRequestError {
  const reason = REASONS[pattern] ??
    "the guest would not notice that, and would run with the old value";
  const change = `from ${show(before)} to ${show(after)}`;
  return new InvalidRequestError(
    "invalid_request",
    nameOf(path),
    `a clone has the devices of its snapshot, and the edit changes this ${change}: ${reason}; unchecked: true lets it through`,
  );
}

function show(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (typeof value === "object") return "an object";
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

const COUNT = "the guest would have a device too few or too many";

const REASONS: Readonly<Record<string, string>> = {
  "vsock.cid":
    "a guest reads its cid at its boot only, and the number can be the same in every VM",
  "net[].mac":
    "the MAC address stands in state.json and in the memory of the guest, so this would have no effect",
  disks: COUNT,
  net: COUNT,
  fs: COUNT,
  pmem: COUNT,
  devices: COUNT,
};

/** The values that only the host sees. */
const FREE: ReadonlySet<string> = new Set([
  "cpus.affinity",
  "console.file",
  "debug_console.file",
  "devices[].path",
  "disks[].direct",
  "disks[].path",
  "disks[].queue_affinity",
  "disks[].rate_limit_group",
  "disks[].rate_limiter_config",
  "disks[].vhost_socket",
  "fs[].socket",
  "generic_vhost_user[].socket",
  "landlock_enable",
  "landlock_rules",
  "memory.zones[].file",
  "memory.zones[].host_numa_node",
  "memory.zones[].shared",
  "net[].fds",
  "net[].host_mac",
  "net[].ip",
  "net[].mask",
  "net[].rate_limiter_config",
  "net[].tap",
  "net[].vhost_socket",
  "pmem[].file",
  "rate_limit_groups",
  "rng.src",
  "serial.file",
  "serial.socket",
  "tpm.socket",
  "user_devices[].socket",
  "vdpa[].path",
  "vsock.socket",
]);
