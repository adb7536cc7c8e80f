/** The serial port or console that a script means. */
import { resolve } from "node:path";
import { InvalidRequestError } from "../../errors/errors.ts";
import type { VmConfig } from "../../generated/types.gen.ts";
import type { Vmm } from "../../vmm/vmm.ts";
import { checkSocketPath } from "../unix_socket.ts";
import { vmInfoOf } from "../vsock/target.ts";

/**
 * A VMM, the socket of a serial port in mode `Socket`, or the pseudoterminal of
 * a port in mode `Pty`.
 */
export type ConsoleTarget =
  | Vmm
  | {
    /** The path of `serial.socket`. */
    readonly socket: string;
  }
  | {
    /** The path of the pseudoterminal, such as `/dev/pts/3`. */
    readonly pty: string;
  };

/** The ports of a VM that a script can read. */
export type ConsoleDevice = "serial" | "console" | "debug_console";

/** The current socket or pseudoterminal of a port. */
export interface PortPath {
  readonly path: string;
  readonly isPty: boolean;
  /**
   * False: the VM is not booted. After `vm.shutdown`, `vm.info` goes on naming
   * the pseudoterminal of the last boot, which is closed.
   */
  readonly isBooted: boolean;
}

/** The path of the port; that of a pty changes at each boot. */
export async function portOf(
  target: ConsoleTarget,
  device: ConsoleDevice | undefined,
  signal: AbortSignal,
): Promise<PortPath> {
  if ("socket" in target) {
    const path = checkSocketPath(target.socket, "socket");
    return { path, isPty: false, isBooted: true };
  }
  if ("pty" in target) {
    return { path: resolve(target.pty), isPty: true, isBooted: true };
  }
  const { config, state } = await vmInfoOf(target, signal);
  const isBooted = state !== "Created";
  const devices = device === undefined ? DEVICES : [device];
  for (const name of devices) {
    const port = portIn(config, name);
    if (port) return { ...port, isBooted };
  }
  throw new InvalidRequestError(
    "invalid_request",
    device ?? "serial",
    `no ${
      devices.join(" or ")
    } of the VM is in mode "Socket" or "Pty"; give vm.create a serial: { mode: "Socket", socket }`,
  );
}

function portIn(
  config: VmConfig,
  device: ConsoleDevice,
): Omit<PortPath, "isBooted"> | undefined {
  const port = config[device];
  if (port?.mode === "Socket" && "socket" in port && port.socket) {
    return { path: port.socket, isPty: false };
  }
  if (port?.mode === "Pty" && port.file) {
    return { path: port.file, isPty: true };
  }
  return undefined;
}

/** The VMM of the target, where it is one. */
export function vmmOfTarget(target: ConsoleTarget): Vmm | undefined {
  return "client" in target ? target : undefined;
}

const DEVICES: readonly ConsoleDevice[] = ["serial", "console"];
