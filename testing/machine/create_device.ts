/** What it takes of the host to make a device, before it gets its place. */
import type {
  DiskConfigInfo,
  ImageType,
  NetConfigInfo,
  PmemConfigInfo,
} from "../../src/generated/types.gen.ts";
import type { Device } from "../../src/schema/config.ts";
import type { Devices } from "./devices.ts";
import type { DeviceKind } from "./device_kind.ts";
import type { Machine } from "./machine.ts";
import { deviceManagerError, osError } from "./vmm_error.ts";

/** Names a device, and opens what it stands on. */
export function createDevice(
  machine: Machine,
  devices: Devices,
  kind: DeviceKind,
  device: Device,
): void {
  devices.name(kind, device);
  creators[kind]?.(machine, device as never);
}

type Maker = (machine: Machine, device: never) => void;

const creators: { readonly [kind in DeviceKind]?: Maker } = {
  block: ({ parts, release }, disk: DiskConfigInfo) => {
    if (disk.vhost_user) return;
    const { path } = disk;
    if (path === undefined) {
      throw deviceManagerError(
        "No disk path was specified when one was expected",
      );
    }
    let head: Uint8Array | undefined;
    try {
      parts.host.open(path, disk.readonly ? "r" : "r+");
      head = parts.host.head(path, SECTOR);
    } catch (error) {
      throw deviceManagerError(
        "Cannot open disk path",
        `I/O error (path=${path} op=open)`,
        osError(error),
      );
    }
    if (head !== undefined && head.length < release.smallestImage) {
      throw deviceManagerError(
        "Cannot open disk path",
        "I/O error (op=detect_image_type)",
        "failed to fill whole buffer",
      );
    }
    const found = imageType(head);
    if (disk.image_type === "Unknown") {
      if (found === "Qcow2") disk.backing_files = false;
      disk.image_type = found;
    } else if (disk.image_type !== found) {
      throw deviceManagerError(
        "Disk image type does not match expected type: " +
          `specified = ${shown(disk.image_type)}, detected = ${shown(found)}`,
      );
    }
  },
  net: ({ parts }, net: NetConfigInfo) => {
    net.mac ??= parts.host.randomMac();
  },
  pmem: ({ parts }, { file, size }: PmemConfigInfo) => {
    if (size === undefined && parts.host.isDirectory(file)) {
      throw deviceManagerError(
        "Trying to use a directory for pmem but no size specified",
      );
    }
    try {
      if (!parts.host.isDirectory(file)) parts.host.open(file);
    } catch (error) {
      throw deviceManagerError(
        "Cannot open persistent memory file",
        osError(error),
      );
    }
    const bytes = BigInt(size ?? parts.host.size(file));
    if (bytes % PMEM_STEP !== 0n) {
      throw deviceManagerError(
        "Trying to use a size that is not multiple of 2MiB",
      );
    }
  },
};

const SECTOR = 512;
const PMEM_STEP = 2n << 20n;

/** Bytes of a file that a device maps into the guest. */
export function mappedBytes(
  { parts }: Machine,
  kind: DeviceKind,
  device: Device,
): bigint | undefined {
  if (kind !== "pmem") return undefined;
  const { size, file } = device as PmemConfigInfo;
  return BigInt(size ?? parts.host.size(file));
}

/** A format as messages name it. */
function shown(type: ImageType): string {
  return type.toLowerCase().replace(/^(fixed|flat)/, "");
}

/** The format of an image, by its first bytes. */
function imageType(head: Uint8Array | undefined): ImageType {
  const text = head === undefined ? "" : String.fromCharCode(...head);
  if (text.startsWith("QFI\xfb")) return "Qcow2";
  if (text.startsWith("vhdxfile")) return "Vhdx";
  return "Raw";
}
