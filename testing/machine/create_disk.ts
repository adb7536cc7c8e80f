/** Opens the image of a disk, and detects its format. */
import type {
  DiskConfigInfo,
  ImageType,
} from "../../src/generated/types.gen.ts";
import { detectImageType } from "./image_type.ts";
import type { Machine } from "./machine.ts";
import { connectVhostUser } from "./vhost_user.ts";
import { deviceManagerError, osError } from "./vmm_error.ts";

/** Opens the image of a disk, or connects to its back end. */
export function createDisk(
  machine: Machine,
  disk: DiskConfigInfo,
): (() => void) | undefined {
  const { path, vhost_user, vhost_socket } = disk;
  if (vhost_user) {
    const socket = vhost_socket!;
    return connectVhostUser("vhost-user-blk")(machine, { socket });
  }
  if (path === undefined) {
    throw deviceManagerError(
      "No disk path was specified when one was expected",
    );
  }
  const { image_type: type = "Unknown" } = disk;
  const detected = openImage(machine, path, disk.readonly) ??
    (type === "Unknown" ? "Raw" : type);
  if (type === "Unknown") {
    if (detected === "Qcow2") disk.backing_files = false;
    disk.image_type = detected;
  } else if (type !== detected) {
    throw deviceManagerError(
      "Disk image type does not match expected type: " +
        `specified = ${shown(type)}, detected = ${shown(detected)}`,
    );
  }
  if (machine.parts.host.isCharacterDevice(path)) {
    throw deviceManagerError(
      "Cannot create virtio-blk device",
      "Failed getting disk size: I/O error",
    );
  }
  return undefined;
}

function openImage(
  { parts: { host }, release }: Machine,
  path: string,
  readonly: boolean,
): ImageType | undefined {
  const failed = (operation: string, error: unknown) =>
    deviceManagerError(
      "Cannot open disk path",
      ...release.namesImage ? [`I/O error (${operation})`] : [],
      osError(error),
    );
  try {
    host.open(path, readonly ? "r" : "r+");
  } catch (error) {
    throw failed(`path=${path} op=open`, error);
  }
  try {
    return detectImageType(host, release, path);
  } catch (error) {
    throw failed("op=detect_image_type", error);
  }
}

/** The name of a format in messages. */
function shown(type: ImageType): string {
  return type.toLowerCase().replace(/^(fixed|flat)/, "");
}
