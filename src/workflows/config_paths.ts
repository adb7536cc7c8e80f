/** The files that a configuration names. */
import { resolve } from "node:path";
import type { VmConfig } from "../generated/types.gen.ts";

/** The absolute paths of all files, sockets and directories. */
export function pathsOf(config: VmConfig): string[] {
  const paths = new Set<string>();
  collect(config, paths);
  return [...paths];
}

/** The files to which the VM's consoles write. */
export function logFilesOf(
  { console, debug_console, serial }: VmConfig,
): string[] {
  return [serial, console, debug_console].flatMap((port) =>
    port?.mode === "File" && port.file ? [resolve(port.file)] : []
  );
}

/** The paths that `landlock_rules` allow, with all that is below them. */
export function allowedDirectoriesOf({ landlock_rules }: VmConfig): string[] {
  return (landlock_rules ?? []).map(({ path }) => resolve(path));
}

function collect(value: unknown, paths: Set<string>): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, paths);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      if (typeof item === "string" && PATH_KEYS.has(key) && item !== "") {
        paths.add(resolve(item));
      } else if (key !== "landlock_rules") collect(item, paths);
    }
  }
}

const PATH_KEYS: ReadonlySet<string> = new Set([
  "file",
  "firmware",
  "igvm",
  "initramfs",
  "kernel",
  "path",
  "socket",
  "src",
  "vhost_socket",
]);
