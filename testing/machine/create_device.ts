/** Creates devices: opens what each needs of the host. */
import type {
  NetConfigInfo,
  PmemConfigInfo,
  VsockConfigInfo,
} from "../../src/generated/types.gen.ts";
import type { Device } from "../../src/schema/config.ts";
import { createDisk } from "./create_disk.ts";
import type { DeviceKind } from "./device_kind.ts";
import type { Devices } from "./devices.ts";
import type { Machine } from "./machine.ts";
import { connectVhostUser } from "./vhost_user.ts";
import { attempt, deviceManagerError } from "./vmm_error.ts";

/** Gives a device its id, and opens its files, sockets and interfaces. */
export function createDevice(
  machine: Machine,
  devices: Devices,
  kind: DeviceKind,
  device: Device,
): void {
  const id = devices.name(kind, device);
  const free = creators[kind]?.(machine, device as never);
  if (free !== undefined) devices.holds.add(id, free);
}

/** Opens a device. Returns a function that frees what it holds, if any. */
type Creator = (machine: Machine, device: never) => (() => void) | undefined;

const MANAGER = "Error from device manager";

const creators: { readonly [kind in DeviceKind]?: Creator } = {
  block: createDisk,
  net: createNet,
  pmem: createPmem,
  vsock: createVsock,
  fs: connectVhostUser("virtio-fs"),
  generic: connectVhostUser("generic vhost-user"),
  rng: ({ parts }, { src }: { src: string }) => {
    const message = "Cannot create virtio-rng device";
    attempt(() => parts.host.open(src), MANAGER, message);
    return undefined;
  },
  vdpa: ({ parts: { host } }, { path }: { path: string }) => {
    const message = "Cannot create vdpa device";
    const opening = "failure in opening vhost file: $";
    attempt(
      () => host.open(path, "r+"),
      ...[MANAGER, message, "Failed to create vhost-vdpa", opening],
    );
    // A file that is no device does not know the first request.
    const code = "ENOTTY";
    attempt(
      () => host.assertDevice(path, code),
      ...[MANAGER, message, "Failed to set owner"],
      "failure in vhost ioctl: $",
    );
    return undefined;
  },
  vfio: ({ parts: { host } }) => {
    attempt(
      () => host.open("/dev/vfio/vfio", "r+"),
      MANAGER,
      "Cannot create a VFIO device",
      "failed to open /dev/vfio/vfio container: $",
      "$",
    );
    return undefined;
  },
  "vfio-user": ({ parts: { host } }, { socket }: { socket: string }) => {
    attempt(
      () => host.assertSocket(socket),
      MANAGER,
      "Failed to create vfio-user client",
      "Error connecting: $",
      "$",
    );
    return undefined;
  },
};

function createNet(machine: Machine, net: NetConfigInfo) {
  if (net.vhost_user) {
    return connectVhostUser("vhost-user-net")(machine, {
      socket: net.vhost_socket!,
    });
  }
  const { host } = machine.parts;
  net.mac ??= host.randomMac();
  const tap = host.taps.open(net);
  if (typeof tap !== "function") {
    const message = "Cannot create virtio-net device";
    throw deviceManagerError(message, "Failed to open taps", ...tap);
  }
  if (machine.release.reportsHostMac) net.host_mac ??= host.randomMac();
  return tap;
}

const PMEM_STEP = 2n << 20n;

function createPmem(
  { parts: { host } }: Machine,
  { file, size, discard_writes }: PmemConfigInfo,
): undefined {
  const directory = host.isDirectory(file);
  if (size === undefined && directory) {
    throw deviceManagerError(
      "Trying to use a directory for pmem but no size specified",
    );
  }
  attempt(
    () => {
      if (!directory) host.open(file, discard_writes ? "r" : "r+");
    },
    MANAGER,
    "Cannot open persistent memory file",
  );
  const bytes = BigInt(size ?? host.size(file));
  if (bytes % PMEM_STEP !== 0n) {
    throw deviceManagerError(
      "Trying to use a size that is not multiple of 2MiB",
    );
  }
  if (bytes === 0n && host.isReal) {
    throw deviceManagerError(
      "Cannot find a memory range for persistent memory",
    );
  }
}

function createVsock({ parts, guest }: Machine, { socket }: VsockConfigInfo) {
  return attempt(
    () => parts.host.sockets.listen(socket, (peer) => guest.attachVsock(peer)),
    MANAGER,
    "Cannot create virtio-vsock backend",
    "Error binding to the host-side Unix socket",
  );
}
