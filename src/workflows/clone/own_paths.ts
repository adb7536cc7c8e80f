/** The edit that most clones need. */
import { join, resolve } from "node:path";
import { checkPath } from "../../arguments/path.ts";
import { InvalidRequestError } from "../../errors/errors.ts";
import type { NetConfig, VmConfig } from "../../generated/types.gen.ts";
import type { ConfigEdit } from "./edit.ts";

/** Options of {@linkcode ownPaths}. */
export interface OwnPathsOptions {
  /**
   * The new path of each disk of the clone, by its path in the snapshot. The
   * file must have the size and the content that the disk had at the time of
   * the snapshot. A disk that is left out is shared: keep that for disks with
   * `readonly`.
   */
  readonly disks?: Readonly<Record<string, string>> | undefined;
  /** The new name of each tap, by its name in the snapshot. */
  readonly taps?: Readonly<Record<string, string>> | undefined;
}

/**
 * Creates the edit for `restoreVm` and `cloneSnapshot` that gives a clone its
 * own paths. The sockets and files that the VMM creates go into the directory:
 * `vsock.sock`, `serial.sock` or `serial.log`, `console.log`,
 * `debug-console.log`, and `ID.sock` for a network device whose VMM is the
 * server of vhost-user. Disks and taps follow the maps. The MAC address of a
 * tap is left to the host. Sockets of back ends, such as that of virtiofsd, are
 * not changed.
 *
 * The call needs no VMM, so the directory can be that of a VMM that runs
 * already: `ownPaths(vmm.directory, { disks })`.
 *
 * @throws {InvalidRequestError} `directory`, and in the edit `disks` or `taps`
 * for a path or name that the snapshot does not have.
 */
export function ownPaths(
  directory: string,
  { disks = {}, taps = {} }: OwnPathsOptions = {},
): ConfigEdit {
  const home = resolve(checkPath("directory", directory));
  return (config) => {
    const before = {
      disks: (config.disks ?? []).map(({ path }) => path),
      taps: (config.net ?? []).map(({ tap }) => tap),
    };
    movePorts(config, home);
    for (const net of config.net ?? []) moveNet(net, home, taps);
    for (const disk of config.disks ?? []) {
      if (disk.path != null) disk.path = own(disks, disk.path) ?? disk.path;
    }
    assertUsed("disks", disks, before.disks);
    assertUsed("taps", taps, before.taps);
  };
}

/** Moves the sockets and files that the VMM creates for the VM. */
function movePorts(config: VmConfig, home: string): void {
  const { console, debug_console, serial, vsock } = config;
  if (vsock) vsock.socket = join(home, "vsock.sock");
  if (serial?.mode === "Socket") serial.socket = join(home, "serial.sock");
  if (serial?.mode === "File") serial.file = join(home, "serial.log");
  if (console?.mode === "File") console.file = join(home, "console.log");
  if (debug_console?.mode === "File") {
    debug_console.file = join(home, "debug-console.log");
  }
}

function moveNet(net: NetConfig, home: string, taps: Names): void {
  // It is that of the first VM's tap, and two taps must not share it.
  delete net.host_mac;
  if (net.tap != null) net.tap = own(taps, net.tap) ?? net.tap;
  if (net.vhost_mode === "Server" && net.vhost_socket) {
    net.vhost_socket = join(home, `${net.id}.sock`);
  }
}

type Names = Readonly<Record<string, string>>;

function own(names: Names, name: string): string | undefined {
  return Object.hasOwn(names, name) ? names[name] : undefined;
}

function assertUsed(
  field: "disks" | "taps",
  names: Names,
  present: readonly (string | null | undefined)[],
): void {
  const unknown = Object.keys(names).find((name) => !present.includes(name));
  if (unknown === undefined) return;
  const all = present.filter((name) => name != null)
    .map((name) => JSON.stringify(name)).join(", ");
  throw new InvalidRequestError(
    "invalid_request",
    field,
    `the snapshot has no ${JSON.stringify(unknown)}; it has ${all || "none"}`,
  );
}
