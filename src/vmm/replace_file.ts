/** Writes small files as a whole, and makes them survive a power loss. */
import {
  closeSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";

/**
 * Replaces a file, with mode 0600: a reader finds the old text or the new one.
 * The file is not synced: after a power loss it may be empty.
 */
export function replaceFile(path: string, text: string): void {
  const temporary = `${path}.partial`;
  rmSync(temporary, { force: true });
  writeFileSync(temporary, text, { mode: 0o600, flag: "wx" });
  renameSync(temporary, path);
}

/** Waits until the content of a file, or the names in a directory, are on disk. */
export function syncToDisk(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
