/** `disks`: the images that the VMM opens and locks at boot and hotplug. */
import type { Config } from "../config.ts";
import { normalizePath } from "./normalize_path.ts";
import { joinPath, type Violation, violation } from "./rule.ts";

const NO_PATH = "No disk path was specified when one was expected";

/** Disks without an image, and images that two disks lock. */
export function* imageViolations(
  { disks = [] }: Partial<Config>,
): Generator<Violation> {
  const users = new Map<string, { path: string; readonly: boolean }>();
  for (const [index, disk] of disks.entries()) {
    if (disk.vhost_user) continue;
    const path = `disks[${index}]`;
    if (disk.path === undefined) {
      const advice = disk.vhost_socket === undefined
        ? 'give the "path" of an image'
        : 'set "vhost_user" to true';
      yield violation(joinPath(path, "path"), NO_PATH, { advice });
      continue;
    }
    const { readonly } = disk;
    const file = normalizePath(disk.path);
    const user = users.get(file);
    if (user === undefined) {
      users.set(file, { path, readonly });
    } else if (!readonly || !user.readonly) {
      const kind = readonly ? "Read" : "Write";
      const message = `Failed to get ${kind} lock for disk image: ` +
        `${disk.path}: The file is already locked`;
      const advice = `"${user.path}" has the same image: set "readonly" of ` +
        "both, or copy the image";
      yield violation(joinPath(path, "path"), message, { advice });
    }
  }
}
