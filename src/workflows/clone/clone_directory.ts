/** The directory of a clone: an edited config.json, and links to the rest. */
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { InvalidRequestError } from "../../errors/errors.ts";
import type { VmConfig } from "../../generated/types.gen.ts";
import { InexactValueError, stringify } from "../../json/json.ts";
import {
  cannotOpen,
  createPrivateDirectory,
} from "../../vmm/private_directory.ts";
import { DISKS, type KeptDisk } from "../kept_disks.ts";
import { SNAPSHOT_FILES } from "../snapshot_files.ts";
import { readRecord } from "../snapshot_record.ts";

/**
 * Creates the directory, of mode 0700, or replaces one that an earlier call has
 * left. The copies of disks in the snapshot are linked, too. Returns a function
 * that removes the directory.
 *
 * @throws {InvalidRequestError} `target`, or the path of a value that JSON
 * cannot hold.
 */
export function createCloneDirectory(
  snapshot: string,
  target: string,
  config: VmConfig,
  disks: readonly KeptDisk[] = [],
): () => void {
  const text = toText(config);
  removeOldClone(target);
  openDirectory(target);
  const remove = (): void => removeFiles(target);
  try {
    writeFileSync(join(target, MARK), JSON.stringify({ disks }), EXCLUSIVE);
    if (disks.length > 0) mkdirSync(join(target, DISKS), { mode: 0o700 });
    const files = SNAPSHOT_FILES.filter((name) => name !== CONFIG);
    for (const name of [...files, ...disks.map(({ copy }) => copy)]) {
      link(realpathSync(join(snapshot, name)), join(target, name));
    }
    writeFileSync(join(target, CONFIG), text, EXCLUSIVE);
  } catch (error) {
    remove();
    throw error;
  }
  return remove;
}

/** The disks of which a snapshot, or the directory of a clone, has copies. */
export function keptDisksIn(directory: string): readonly KeptDisk[] {
  const record = readRecord(directory);
  if (record) return record.disks ?? [];
  try {
    const text = readFileSync(join(directory, MARK), "utf8");
    return (JSON.parse(text) as { disks: readonly KeptDisk[] }).disks;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "ENOENT" || error instanceof SyntaxError) return [];
    throw error;
  }
}

/** Creates the directory, unless it is there and empty. */
function openDirectory(target: string): void {
  try {
    const stat = lstatSync(target, { throwIfNoEntry: false });
    if (stat === undefined) return createPrivateDirectory(target);
    if (stat.isDirectory() && readdirSync(target).length === 0) return;
  } catch (error) {
    throw cannotOpen(target, error, "target");
  }
  throw new InvalidRequestError(
    "invalid_request",
    "target",
    `"${target}" is not an empty directory, and not a clone`,
  );
}

/** Files that another program put there in the meantime stay. */
function removeFiles(target: string): void {
  try {
    for (const name of FILES) {
      rmSync(join(target, name), { force: true, recursive: name === DISKS });
    }
    rmdirSync(target);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== "ENOTEMPTY" && code !== "ENOENT") throw error;
  }
}

/** Removes the clone of a script that was killed; other directories stay. */
export function removeOldClone(target: string): void {
  const stat = lstatSync(target, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return;
  const names = readdirSync(target);
  if (!names.includes(MARK)) return;
  if (!names.every((name) => FILES.includes(name))) return;
  removeFiles(target);
}

/** A link costs no space, and the VMM writes to neither file. */
function link(file: string, path: string): void {
  try {
    linkSync(file, path);
  } catch (error) {
    // Another file system, or a file of another user.
    if (!UNLINKABLE.has((error as { code?: string }).code ?? "")) throw error;
    symlinkSync(file, path);
  }
}

function toText(config: VmConfig): string {
  try {
    return stringify(config)!;
  } catch (error) {
    if (!(error instanceof InexactValueError)) throw error;
    const { path, message } = error;
    throw new InvalidRequestError("invalid_request", path, message, {
      cause: error,
    });
  }
}

const CONFIG = "config.json";
/** It tells a clone from a snapshot, and lists the disks. */
const MARK = "clone";
/** The mark is the first to be made, and the last to be removed. */
const FILES: readonly string[] = [...SNAPSHOT_FILES, DISKS, MARK];
const EXCLUSIVE = { mode: 0o600, flag: "wx" } as const;
const UNLINKABLE: ReadonlySet<string> = new Set([
  "EACCES",
  "EMLINK",
  "ENOSYS",
  "ENOTSUP",
  "EOPNOTSUPP",
  "EPERM",
  "EXDEV",
]);
