/** A disk that gives cloud-init its user data: NoCloud, on a FAT volume. */
import { InvalidRequestError } from "../../errors/errors.ts";
import { toDirectoryEntries } from "./directory.ts";
import { bootSector, geometryOf, SECTOR_BYTES } from "./geometry.ts";

/** The files of an image, by their names. */
export type SeedFiles = Readonly<Record<string, string | Uint8Array>>;

/**
 * Makes a NoCloud image without any tools: a FAT volume with the label CIDATA.
 * Write the bytes to a file, and attach it as a disk
 * `{ path, readonly: true, image_type: "Raw" }`. cloud-init wants `meta-data`
 * and `user-data`; `network-config` and `vendor-data` are optional.
 *
 * @throws {InvalidRequestError} A name is not printable ASCII, or has one of
 * the characters `"*\/:<>?|` or a backslash; two names differ in case only; the
 * contents are larger than about 127 MiB, or the files are too many.
 *
 * @example
 * ```ts
 * import { seedImage } from "@chv/cloud-hypervisor/guest";
 *
 * const image = seedImage({
 *   "meta-data": "instance-id: vm0\nlocal-hostname: vm0\n",
 *   "user-data": "#cloud-config\nruncmd: [poweroff]\n",
 * });
 * ```
 */
export function seedImage(files: SeedFiles): Uint8Array {
  const contents = Object.entries(files).map(([name, content]) => ({
    name,
    bytes: typeof content === "string"
      ? new TextEncoder().encode(content)
      : content,
  }));
  const geometry = geometryOf(contents.map(({ bytes }) => bytes.length));
  if (geometry === undefined) {
    throw new InvalidRequestError(
      "invalid_request",
      "files",
      "the contents are too large for a FAT volume of 4084 clusters, about 127 MiB",
    );
  }
  const { clusterBytes, fatSectors, fatStart, rootStart, dataStart } = geometry;
  const image = new Uint8Array(geometry.totalSectors * SECTOR_BYTES);
  image.set(bootSector(geometry));
  const fat = new Uint8Array(fatSectors * SECTOR_BYTES);
  setEntry(fat, 0, MEDIA_ENTRY);
  setEntry(fat, 1, END_OF_CHAIN);
  let next = FIRST_CLUSTER;
  const starts = contents.map(({ bytes }) => {
    const clusters = Math.ceil(bytes.length / clusterBytes);
    // An empty file has no cluster.
    if (clusters === 0) return 0;
    const start = next;
    next += clusters;
    for (let cluster = start; cluster < next; cluster++) {
      setEntry(fat, cluster, cluster + 1 < next ? cluster + 1 : END_OF_CHAIN);
    }
    const offset = (start - FIRST_CLUSTER) * clusterBytes;
    image.set(bytes, dataStart * SECTOR_BYTES + offset);
    return start;
  });
  const entries = toDirectoryEntries(
    contents.map(({ name, bytes }, index) => ({
      name,
      size: bytes.length,
      start: starts[index]!,
    })),
  );
  for (const copy of [0, 1]) {
    image.set(fat, (fatStart + copy * fatSectors) * SECTOR_BYTES);
  }
  image.set(entries, rootStart * SECTOR_BYTES);
  return image;
}

/** An entry has 12 bits. */
function setEntry(fat: Uint8Array, cluster: number, value: number): void {
  const at = cluster + (cluster >> 1);
  if (cluster % 2 === 0) {
    fat[at] = value & 0xff;
    fat[at + 1] = (fat[at + 1]! & 0xf0) | value >> 8;
  } else {
    fat[at] = (fat[at]! & 0x0f) | (value & 0xf) << 4;
    fat[at + 1] = value >> 4;
  }
}

const FIRST_CLUSTER = 2;
const MEDIA_ENTRY = 0xff8;
const END_OF_CHAIN = 0xfff;
