/** The layout of a FAT12 volume. */
import { LABEL, ROOT_ENTRIES } from "./directory.ts";

/** The positions of the parts of a volume, in sectors. */
export interface Geometry {
  readonly clusterBytes: number;
  readonly fatStart: number;
  readonly fatSectors: number;
  readonly rootStart: number;
  readonly dataStart: number;
  readonly totalSectors: number;
}

/** The layout for files of these sizes; undefined where they are too large. */
export function geometryOf(sizes: readonly number[]): Geometry | undefined {
  for (let sectors = 1; sectors <= 64; sectors *= 2) {
    const clusterBytes = sectors * SECTOR_BYTES;
    const used = sizes.map((size) => Math.ceil(size / clusterBytes))
      .reduce((sum, count) => sum + count, 0);
    if (used > MAX_CLUSTERS) continue;
    // Some readers refuse a smaller volume.
    const clusters = Math.max(used, MIN_CLUSTERS);
    const fatBytes = Math.ceil((clusters + 2) * 1.5);
    const fatSectors = Math.ceil(fatBytes / SECTOR_BYTES);
    const rootStart = RESERVED_SECTORS + 2 * fatSectors;
    const dataStart = rootStart + ROOT_ENTRIES * 32 / SECTOR_BYTES;
    return {
      clusterBytes,
      fatStart: RESERVED_SECTORS,
      fatSectors,
      rootStart,
      dataStart,
      totalSectors: dataStart + clusters * sectors,
    };
  }
  return undefined;
}

/** The first sector, which describes the volume. */
export function bootSector(
  { clusterBytes, fatSectors, totalSectors }: Geometry,
): Uint8Array {
  const sector = new Uint8Array(SECTOR_BYTES);
  const view = new DataView(sector.buffer);
  const ascii = (at: number, text: string): void =>
    sector.set(new TextEncoder().encode(text), at);
  sector.set([0xeb, 0x3c, 0x90]);
  ascii(3, "CHV     ");
  view.setUint16(11, SECTOR_BYTES, true);
  sector[13] = clusterBytes / SECTOR_BYTES;
  view.setUint16(14, RESERVED_SECTORS, true);
  sector[16] = 2;
  view.setUint16(17, ROOT_ENTRIES, true);
  const isShort = totalSectors < 65536;
  view.setUint16(19, isShort ? totalSectors : 0, true);
  sector[21] = 0xf8;
  view.setUint16(22, fatSectors, true);
  view.setUint16(24, 32, true);
  view.setUint16(26, 64, true);
  view.setUint32(32, isShort ? 0 : totalSectors, true);
  sector[36] = 0x80;
  sector[38] = 0x29;
  view.setUint32(39, 0x43484431, true);
  ascii(43, LABEL);
  ascii(54, "FAT12   ");
  sector.set([0x55, 0xaa], 510);
  return sector;
}

export const SECTOR_BYTES: number = 512;
const RESERVED_SECTORS = 1;
const MIN_CLUSTERS = 700;
/** More would be a FAT16 volume. */
const MAX_CLUSTERS = 4084;
