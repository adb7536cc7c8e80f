/** Empty disk images. */
import { Buffer } from "node:buffer";

/** A qcow2 image (version 3) without clusters of data. */
export function qcow2(size: number): Uint8Array {
  const cluster = 1 << 16;
  const image = Buffer.alloc(4 * cluster);
  image.write("QFI\xfb", "latin1");
  image.writeUInt32BE(3, 4);
  image.writeUInt32BE(16, 20); // cluster bits
  image.writeBigUInt64BE(BigInt(size), 24);
  image.writeUInt32BE(1, 36); // entries of the L1 table
  image.writeBigUInt64BE(BigInt(3 * cluster), 40); // L1 table
  image.writeBigUInt64BE(BigInt(cluster), 48); // reference count table
  image.writeUInt32BE(1, 56); // clusters of that table
  image.writeUInt32BE(4, 96); // 16-bit reference counts
  image.writeUInt32BE(104, 100); // header length
  image.writeBigUInt64BE(BigInt(2 * cluster), cluster);
  for (let used = 0; used < 4; used++) {
    image.writeUInt16BE(1, 2 * cluster + 2 * used);
  }
  return image;
}

/** A fixed VHD: the data, and a footer. */
export function fixedVhd(size: number): Uint8Array {
  const image = Buffer.alloc(size + 512);
  const footer = image.subarray(size);
  footer.write("conectix", "latin1");
  footer.writeUInt32BE(2, 8); // features
  footer.writeUInt32BE(0x10000, 12); // version
  footer.fill(0xff, 16, 24); // no other header
  footer.writeBigUInt64BE(BigInt(size), 40);
  footer.writeBigUInt64BE(BigInt(size), 48);
  footer.writeUInt32BE(2, 60); // fixed
  const sum = footer.reduce((total, byte) => total + byte, 0);
  footer.writeUInt32BE(~sum >>> 0, 64);
  return image;
}

const MIB = 1 << 20;

/** A VHDX without blocks of data. */
export function vhdx(size: number): Uint8Array {
  const image = Buffer.alloc(4 * MIB);
  image.write("vhdxfile", "latin1");
  for (const [at, sequence] of [[0x10000, 1n], [0x20000, 2n]] as const) {
    const header = image.subarray(at, at + 4096);
    header.write("head", "latin1");
    header.writeBigUInt64LE(sequence, 8);
    header.writeUInt16LE(1, 66); // version
    header.writeUInt32LE(MIB, 68); // log length
    header.writeBigUInt64LE(BigInt(MIB), 72); // log
    header.writeUInt32LE(crc32c(header), 4);
  }
  for (const at of [0x30000, 0x40000]) {
    const table = image.subarray(at, at + 0x10000);
    table.write("regi", "latin1");
    table.writeUInt32LE(2, 8);
    region(table, 16, "2dc27766-f623-4200-9d64-115e9bfd4a08", 3 * MIB);
    region(table, 48, "8b7ca206-4790-4b9a-b8fe-575f050f886e", 2 * MIB);
    table.writeUInt32LE(crc32c(table), 4);
  }
  const metadata = image.subarray(2 * MIB);
  metadata.write("metadata", "latin1");
  metadata.writeUInt16LE(5, 10);
  const items: readonly (readonly [string, Buffer, number])[] = [
    ["caa16737-fa36-4d43-b3b6-33f0aa44e76b", u32(MIB, 0), 4], // block size
    ["2fa54224-cd1b-4876-b211-5dbed83bf4b8", u64(size), 6], // virtual size
    ["beca12ab-b2e6-4523-93ef-c309e000c746", Buffer.alloc(16, 1), 6], // id
    ["8141bf1d-a96f-4709-ba47-f233a8faab5f", u32(512), 6], // logical sector
    ["cda348c7-445d-4471-9cc9-e9885251c556", u32(4096), 6], // physical sector
  ];
  let offset = 0x10000;
  for (const [index, [id, value, flags]] of items.entries()) {
    const entry = 32 + 32 * index;
    guid(id).copy(metadata, entry);
    metadata.writeUInt32LE(offset, entry + 16);
    metadata.writeUInt32LE(value.length, entry + 20);
    metadata.writeUInt32LE(flags, entry + 24);
    value.copy(metadata, offset);
    offset += value.length;
  }
  return image;
}

function region(table: Buffer, at: number, id: string, offset: number): void {
  guid(id).copy(table, at);
  table.writeBigUInt64LE(BigInt(offset), at + 16);
  table.writeUInt32LE(MIB, at + 24);
  table.writeUInt32LE(1, at + 28); // required
}

/** A GUID in its mixed byte order. */
function guid(text: string): Buffer {
  const bytes = Buffer.from(text.replaceAll("-", ""), "hex");
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}

function u32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [at, value] of values.entries()) {
    bytes.writeUInt32LE(value, 4 * at);
  }
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** CRC-32C. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    }
  }
  return ~crc >>> 0;
}
