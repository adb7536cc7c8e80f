/** Private directories of restores, which a killed script leaves behind. */
import { lstatSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

/** A new path in the directory for a restore by this process. */
export function restoreDirectoryIn(parent: string): string {
  return join(parent, `${PREFIX}${process.pid}-${crypto.randomUUID()}`);
}

/**
 * Removes the directories of restores that have ended: with `all`, those of
 * processes that run, too.
 */
export function removeRestoreDirectories(parent: string, all = false): void {
  for (const name of list(parent)) {
    const [, pid] = NAME.exec(name) ?? [];
    if (!pid || !all && isAlive(pid)) continue;
    try {
      const path = join(parent, name);
      // Other users can have files of such a name.
      if (lstatSync(path).uid !== process.getuid?.()) continue;
      rmSync(path, { recursive: true, force: true });
    } catch {
      // It is gone, or the script may not remove it.
    }
  }
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function isAlive(pid: string): boolean {
  try {
    return statSync(`/proc/${pid}`, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // In Deno, the script may not look.
    return true;
  }
}

const PREFIX = "chv-restore-";
const NAME = /^chv-restore-(\d+)-/;
