/**
 * Requests that stop the VMM process, with whatever runs in it. The VMM takes
 * them as they are, so the client refuses them unless `allowFatal` is set.
 */
import type { OperationName } from "./generated/api.gen.ts";
import type { ReceiveMigrationData, VmConfig } from "./generated/types.gen.ts";

export interface Fatal {
  /** The field of the body. */
  field: string;
  /** What the VMM does at it. */
  reason: string;
}

/** Why `body` would stop the VMM, or `undefined` where it would not. */
export function fatal(name: OperationName, body: unknown): Fatal | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  return CHECKS[name]?.(body as never);
}

const CHECKS: {
  readonly [name in OperationName]?: (body: never) => Fatal | undefined;
} = { "vm.create": create, "vm.receive-migration": receive };

function create(config: VmConfig): Fatal | undefined {
  for (const field of ["console", "serial", "debug_console"] as const) {
    const device = config[field];
    if (device?.mode === "File" && device.file == null) {
      return fault(`${field}.file`, `${field} mode "File" without a file`);
    }
  }
  if (config.serial?.mode === "Socket" && config.serial.socket == null) {
    return fault("serial.socket", 'serial mode "Socket" without a socket');
  }
  const memory = config.memory;
  if (memory && Number(memory.size) === 0 && memory.zones == null) {
    return fault("memory.size", "memory.size 0 without zones");
  }
  return undefined;
}

function receive({ receiver_url }: ReceiveMigrationData): Fatal | undefined {
  const url = String(receiver_url);
  if (!url.startsWith("tcp:") || isLiteral(url)) return undefined;
  return fault(
    "receiver_url",
    `a tcp: host that is not an IP address (${url})`,
  );
}

function fault(field: string, what: string): Fatal {
  return { field, reason: `${what} stops the VMM; allowFatal lets it through` };
}

/** What the VMM cannot parse as an address it looks up by name. */
function isLiteral(url: string): boolean {
  const host = /^tcp:(.+):\d+$/.exec(url)?.[1] ?? "";
  return IPV4.test(host) ||
    (IPV6.test(host) && URL.canParse(`http://${host}`));
}

const IPV4 = /^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$)|$)){4}$/;
const IPV6 = /^\[[\da-f:.]+\]$/i;
