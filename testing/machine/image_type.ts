/** The formats of disk images, by their content. */
import type { ImageType } from "../../src/generated/types.gen.ts";
import type { Release } from "../release_type.ts";
import type { Host } from "./host.ts";

const SECTOR = 512;
/** Largest descriptor of a VMDK in bytes. */
const DESCRIPTOR = 4096;

/**
 * Detects the format of an image.
 *
 * @returns undefined if the file only counts as present.
 * @throws an error of the operating system; one without a code if the image is
 * too short for the release.
 */
export function detectImageType(
  host: Host,
  release: Release,
  path: string,
): ImageType | undefined {
  const head = host.read(path, DESCRIPTOR);
  if (head === undefined) return undefined;
  if (head.length < release.smallestImage) {
    throw new Error("failed to fill whole buffer");
  }
  const text = latin1(head);
  if (text.startsWith("QFI\xfb")) return "Qcow2";
  if (isFixedVhd(host, path)) return "FixedVhd";
  if (text.startsWith("vhdxfile")) return "Vhdx";
  if (release.flatVmdk && isFlatVmdk(text)) return "FlatVmdk";
  return "Raw";
}

/** A fixed VHD has a footer with a checksum, and no other header. */
function isFixedVhd(host: Host, path: string): boolean {
  const size = host.size(path);
  if (size < SECTOR) return false;
  const footer = host.read(path, SECTOR, size - SECTOR)!;
  const view = new DataView(footer.buffer, footer.byteOffset, footer.length);
  const sum = footer.reduce(
    (total, byte, at) => at >= 64 && at < 68 ? total : total + byte,
    0,
  );
  return latin1(footer.subarray(0, 8)) === "conectix" &&
    view.getUint32(12) === 0x10000 && view.getUint32(60) === 2 &&
    view.getUint32(64) === ~sum >>> 0;
}

/** A descriptor of text that lists flat extents. */
function isFlatVmdk(text: string): boolean {
  if (!text.startsWith("# Disk DescriptorFile")) return false;
  const type = /^createType\s*=\s*"(.*)"/m.exec(text)?.[1];
  const extents = [...text.matchAll(/^(?:RW|RDONLY|NOACCESS)\s+\d+\s+(\w+)/gm)];
  return (type === "monolithicFlat" || type === "twoGbMaxExtentFlat") &&
    extents.length > 0 && extents.every(([, kind]) => kind === "FLAT");
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
