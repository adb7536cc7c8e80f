/** The copies of a VM's disks in a snapshot. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { Buffer } from "node:buffer";
import { basename, isAbsolute, join, resolve } from "node:path";
import { InvalidRequestError } from "../errors/errors.ts";
import type { DiskConfig, VmConfig } from "../generated/types.gen.ts";
import { copySparse } from "./sparse_copy.ts";

/** The directory in a snapshot that has the copies. */
export const DISKS = "disks";

/** A disk in a snapshot. */
export interface KeptDisk {
  /** The position in `disks` of the configuration. */
  readonly index: number;
  /** The path of the disk at the time of the snapshot. */
  readonly path: string;
  /** The path of the copy in the directory of the snapshot. */
  readonly copy: string;
}

/**
 * Lists the disks that are copied: all that the guest can write.
 *
 * @throws {InvalidRequestError} with the disk, such as `disks[0]`, that cannot
 * be copied.
 */
export function disksToKeep({ disks }: VmConfig): KeptDisk[] {
  return (disks ?? []).flatMap((disk, index) => {
    if (disk.readonly) return [];
    const reason = problemOf(disk);
    if (reason !== undefined) {
      const field = `disks[${index}]`;
      throw new InvalidRequestError("invalid_request", field, reason);
    }
    const path = resolve(disk.path!);
    const copy = join(DISKS, `${index}-${basename(path)}`);
    return [{ index, path, copy }];
  });
}

/** Copies the disks into the directory of a snapshot. */
export async function keepDisks(
  disks: readonly KeptDisk[],
  directory: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  mkdirSync(join(directory, DISKS), { mode: 0o700 });
  for (const { path, copy } of disks) {
    await copySparse(path, join(directory, copy), signal);
  }
}

/**
 * Copies the disks of a snapshot to the paths that the configuration of the
 * restored VM names, where there is no file yet. Returns a function that
 * removes the copies.
 *
 * @throws {InvalidRequestError} `disks[0].path` when a file is at the path that
 * the disk had at the time of the snapshot.
 */
export async function restoreDisks(
  kept: readonly KeptDisk[],
  snapshot: string,
  { disks }: VmConfig,
  signal: AbortSignal | undefined,
): Promise<() => void> {
  const copies = kept.flatMap(({ index, path, copy }) => {
    const target = resolve(disks?.[index]?.path ?? path);
    if (!existsSync(target)) return [{ target, source: join(snapshot, copy) }];
    if (target !== path) return [];
    throw new InvalidRequestError(
      "invalid_request",
      `disks[${index}].path`,
      `the snapshot has a copy of "${path}", which exists, perhaps with a later content; move that file away, or give the VM another path by config: ownPaths(directory, { disks })`,
    );
  });
  const created: string[] = [];
  const remove = (): void => {
    for (const path of created) rmSync(path, { force: true });
  };
  try {
    for (const { target, source } of copies) {
      const partial = `${target}.partial`;
      rmSync(partial, { force: true });
      created.push(partial);
      await copySparse(source, partial, signal);
      renameSync(partial, target);
      created.push(target);
    }
  } catch (error) {
    remove();
    throw error;
  }
  return remove;
}

/** The reason why a disk cannot be copied. */
function problemOf(
  { id, image_type, path, vhost_socket, vhost_user }: DiskConfig,
): string | undefined {
  const name = id == null ? "the disk" : `the disk "${id}"`;
  if (vhost_user || vhost_socket) {
    return `${name} belongs to the back end at "${vhost_socket}", which alone can copy it`;
  }
  if (path == null) return `${name} has no path`;
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    return `"${path}" is no regular file; copy it in whilePaused`;
  }
  if (image_type as string === "FlatVmdk") {
    return `"${path}" is in two files; copy them in whilePaused`;
  }
  const backing = backingOf(path);
  return backing === undefined || isAbsolute(backing)
    ? undefined
    : `"${path}" names its backing file by the relative path "${backing}", which a copy elsewhere does not find; use an absolute path`;
}

/** The backing file of a qcow2 image, which copies of the image share. */
function backingOf(path: string): string | undefined {
  const header = readAt(path, 0, 20);
  if (header.length < 20 || header.toString("latin1", 0, 4) !== "QFI\xfb") {
    return undefined;
  }
  const offset = Number(header.readBigUInt64BE(8));
  const length = header.readUInt32BE(16);
  if (offset === 0 || length === 0 || length > 1023) return undefined;
  return readAt(path, offset, length).toString("utf8");
}

function readAt(path: string, position: number, length: number): Buffer {
  const fd = openSync(path, "r");
  try {
    const buffer = Buffer.alloc(length);
    return buffer.subarray(0, readSync(fd, buffer, 0, length, position));
  } finally {
    closeSync(fd);
  }
}
