/** Copies a file, so that its holes stay holes. */
import { Buffer } from "node:buffer";
import {
  constants,
  copyFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * Copies a file to a new one of mode 0600: as a clone where both are in a file
 * system that shares blocks, such as XFS or Btrfs; else block by block, without
 * the blocks of zeros. After a failure there may be a part of the copy.
 */
export async function copySparse(
  source: string,
  target: string,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  if (clones(source, dirname(target))) {
    try {
      copyFileSync(source, target, CLONE);
      return;
    } catch {
      // The file is in another file system than its directory, for example.
      rmSync(target, { force: true });
    }
  }
  const from = await open(source, "r");
  try {
    const to = await open(target, "wx", 0o600);
    try {
      const { size } = await from.stat();
      await to.truncate(size);
      await copyData(from, to, size, signal);
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}

async function copyData(
  from: FileHandle,
  to: FileHandle,
  size: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  for (let position = 0; position < size;) {
    signal?.throwIfAborted();
    const { bytesRead } = await from.read(buffer, 0, BUFFER_BYTES, position);
    // The file has become shorter.
    if (bytesRead === 0) return;
    for (const { start, end } of dataOf(buffer.subarray(0, bytesRead))) {
      await writeAll(to, buffer.subarray(start, end), position + start);
    }
    position += bytesRead;
  }
}

/** The parts of a buffer that have a byte which is not zero. */
function* dataOf(buffer: Buffer): Generator<{ start: number; end: number }> {
  if (isZero(buffer)) return;
  let start = -1;
  for (let at = 0; at < buffer.length; at += BLOCK_BYTES) {
    const end = Math.min(at + BLOCK_BYTES, buffer.length);
    const isHole = isZero(buffer.subarray(at, end));
    if (isHole && start >= 0) {
      yield { start, end: at };
      start = -1;
    } else if (!isHole && start < 0) start = at;
  }
  if (start >= 0) yield { start, end: buffer.length };
}

function isZero(bytes: Buffer): boolean {
  return bytes.equals(ZEROS.subarray(0, bytes.length));
}

async function writeAll(
  to: FileHandle,
  data: Buffer,
  position: number,
): Promise<void> {
  for (let done = 0; done < data.length;) {
    const { bytesWritten } = await to.write(
      data,
      done,
      data.length - done,
      position + done,
    );
    done += bytesWritten;
  }
}

/**
 * Tells whether a copy in the file system shares blocks. Not every runtime
 * fails where it cannot, so this copies a hole, and looks whether it stays one.
 */
function clones(source: string, directory: string): boolean {
  if (statSync(source).dev !== statSync(directory).dev) return false;
  const probe = join(directory, `.probe-${crypto.randomUUID()}`);
  const copy = `${probe}.copy`;
  try {
    writeFileSync(probe, "", { flag: "wx", mode: 0o600 });
    truncateSync(probe, PROBE_BYTES);
    copyFileSync(probe, copy, CLONE);
    return statSync(copy).blocks < PROBE_BYTES / 512;
  } catch {
    return false;
  } finally {
    rmSync(probe, { force: true });
    rmSync(copy, { force: true });
  }
}

const CLONE = constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL;
const BUFFER_BYTES = 4 << 20;
/** A smaller hole is filled: each comparison takes time. */
const BLOCK_BYTES = 64 << 10;
const PROBE_BYTES = 1 << 20;
const ZEROS = Buffer.alloc(BUFFER_BYTES);
