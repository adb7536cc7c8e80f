/**
 * Requests that stop the VMM process, with whatever runs in it. The VMM takes
 * them as they are, so the client refuses them unless `allowFatal` is set.
 */
import { isIpv4, isIpv6 } from "./ip_address.ts";
import type { OperationName } from "../generated/api.gen.ts";
import type { ReceiveMigrationData, VmConfig } from "../generated/types.gen.ts";

export interface FatalField {
  /** The field of the body. */
  field: string;
  /** What the VMM does at it. */
  reason: string;
}

/** What in `body` would stop the VMM. */
export function findFatalFields(
  name: OperationName,
  body: unknown,
): Iterable<FatalField> {
  if (typeof body !== "object" || body === null) return [];
  return CHECKS[name]?.(body as never) ?? [];
}

const CHECKS: {
  readonly [name in OperationName]?: (body: never) => Iterable<FatalField>;
} = { "vm.create": checkCreate, "vm.receive-migration": checkReceive };

function* checkCreate(config: VmConfig): Iterable<FatalField> {
  for (const field of ["console", "serial", "debug_console"] as const) {
    const device = config[field];
    if (device?.mode === "File" && device.file == null) {
      yield fatalField(`${field}.file`, `${field} mode "File" without a file`);
    }
  }
  if (config.serial?.mode === "Socket" && config.serial.socket == null) {
    yield fatalField("serial.socket", 'serial mode "Socket" without a socket');
  }
  const memory = config.memory;
  if (memory && Number(memory.size) === 0 && memory.zones == null) {
    yield fatalField("memory.size", "memory.size 0 without zones");
  }
}

function* checkReceive(
  { receiver_url }: ReceiveMigrationData,
): Iterable<FatalField> {
  const url = String(receiver_url);
  if (!url.startsWith("tcp:") || hasIpLiteral(url)) return;
  const what = `a tcp: host that is not an IP address (${url})`;
  yield fatalField("receiver_url", what);
}

function fatalField(field: string, what: string): FatalField {
  return { field, reason: `${what} stops the VMM` };
}

/** What the VMM cannot parse as an address it looks up by name. */
function hasIpLiteral(url: string): boolean {
  const host = /^tcp:(.+):\d+$/.exec(url)?.[1] ?? "";
  return isIpv4(host) || (/^\[.*\]$/.test(host) && isIpv6(host.slice(1, -1)));
}
