/** The root directory of a FAT volume, with long names. */
import { InvalidRequestError } from "../../errors/errors.ts";

/** A file in the directory. */
export interface DirectoryFile {
  readonly name: string;
  readonly size: number;
  /** The first cluster, or 0 for an empty file. */
  readonly start: number;
}

/**
 * The entries of the directory: the label, then each file.
 *
 * @throws {InvalidRequestError} `files`: a name is no name, or there is no room.
 */
export function toDirectoryEntries(
  files: readonly DirectoryFile[],
): Uint8Array {
  checkNames(files.map(({ name }) => name));
  const entries: Uint8Array[] = [labelEntry()];
  for (const [index, file] of files.entries()) {
    const short = shortName(index);
    entries.push(...longNameEntries(file.name, checksumOf(short)));
    entries.push(shortEntry(short, file));
  }
  if (entries.length > ROOT_ENTRIES) {
    refuse(`${files.length} files are too many for the directory`);
  }
  const bytes = new Uint8Array(ROOT_ENTRIES * ENTRY_BYTES);
  entries.forEach((entry, index) => bytes.set(entry, index * ENTRY_BYTES));
  return bytes;
}

function checkNames(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    // Readers drop spaces and dots at the end.
    const isName = /^[ -~]{1,255}$/.test(name) &&
      !/["*/:<>?\\|]|^\s|[ .]$/.test(name);
    if (!isName) refuse(`${JSON.stringify(name)} is not a name for a file`);
    const key = name.toLowerCase();
    if (seen.has(key)) refuse(`"${name}" is there twice, but for its case`);
    seen.add(key);
  }
}

function refuse(reason: string): never {
  throw new InvalidRequestError("invalid_request", "files", reason);
}

function labelEntry(): Uint8Array {
  const entry = new Uint8Array(ENTRY_BYTES);
  entry.set(new TextEncoder().encode(LABEL));
  entry[11] = 0x08;
  return entry;
}

/** A name in the old format, which no reader shows. */
function shortName(index: number): Uint8Array {
  return new TextEncoder().encode(`SEED${`${index}`.padStart(4, "0")}   `);
}

function shortEntry(
  short: Uint8Array,
  { size, start }: DirectoryFile,
): Uint8Array {
  const entry = new Uint8Array(ENTRY_BYTES);
  const view = new DataView(entry.buffer);
  entry.set(short);
  entry[11] = 0x20;
  // 1980-01-01, the first day that the format has.
  for (const at of [16, 18, 24]) view.setUint16(at, 0x21, true);
  view.setUint16(26, start, true);
  view.setUint32(28, size, true);
  return entry;
}

/** Entries of 13 characters each, the last one first. */
function longNameEntries(name: string, checksum: number): Uint8Array[] {
  const count = Math.ceil(name.length / CHARACTERS.length);
  return Array.from({ length: count }, (_, index) => {
    const order = count - index;
    const entry = new Uint8Array(ENTRY_BYTES);
    const view = new DataView(entry.buffer);
    entry[0] = order | (index === 0 ? 0x40 : 0);
    entry[11] = 0x0f;
    entry[13] = checksum;
    CHARACTERS.forEach((at, position) => {
      const character = (order - 1) * CHARACTERS.length + position;
      const isPadding = character > name.length;
      const code = isPadding ? 0xffff : name.charCodeAt(character) || 0;
      view.setUint16(at, code, true);
    });
    return entry;
  });
}

function checksumOf(short: Uint8Array): number {
  return short.reduce(
    (sum, byte) => ((sum & 1) << 7) + (sum >> 1) + byte & 0xff,
    0,
  );
}

/** The positions of the characters in an entry of a long name. */
const CHARACTERS = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
/** The label that cloud-init looks for, padded to 11 bytes. */
export const LABEL: string = "CIDATA     ";
export const ROOT_ENTRIES: number = 512;
const ENTRY_BYTES = 32;
