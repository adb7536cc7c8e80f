/** Every string that the VMM opens as a file or as a Unix socket. */
import type { Config } from "../config.ts";
import { normalizePath } from "./normalize_path.ts";
import { type Violation, violation } from "./rule.ts";

/** The VMM's use of a path. */
type Use = "file" | "listen" | "connect";
type PathField = readonly [path: string, value: string | undefined, use: Use];

/** Bytes of a path, and of a socket's path, without the NUL at the end. */
const MAX_PATH = 4095;
const MAX_SOCKET = 107;

/** The paths that no host can have, and sockets of two listeners. */
export function* pathViolations(
  config: Partial<Config>,
): Generator<Violation> {
  const listeners = new Map<string, string>();
  for (const [path, value, use] of pathsOf(config)) {
    if (value === undefined) continue;
    yield* pathProblems(path, value, use);
    if (use !== "listen" || value === "") continue;
    const file = normalizePath(value);
    const listener = listeners.get(file);
    listeners.set(file, listener ?? path);
    if (listener === undefined) continue;
    const advice = `"${listener}" is the same socket`;
    yield violation(path, "Address already in use (os error 98)", { advice });
  }
}

/** The problems of one path. */
export function* pathProblems(
  path: string,
  value: string,
  use: Use,
): Generator<Violation> {
  const bytes = new TextEncoder().encode(value).length;
  const socket = use !== "file";
  if (value.includes("\0")) {
    const message = socket
      ? "paths must not contain interior null bytes"
      : "file name contained an unexpected NUL byte";
    yield violation(path, message);
  } else if (socket && bytes > MAX_SOCKET) {
    const advice = `use at most ${MAX_SOCKET} bytes, not ${bytes}`;
    yield violation(path, "path must be shorter than SUN_LEN", { advice });
  } else if (bytes > MAX_PATH) {
    const advice = `use at most ${MAX_PATH} bytes, not ${bytes}`;
    yield violation(path, "File name too long (os error 36)", { advice });
  } else if (value === "" && use !== "listen") {
    // To listen on an empty path succeeds: the kernel makes up a name.
    const advice = socket ? "give the path of a socket" : "give a path";
    yield violation(path, "No such file or directory (os error 2)", { advice });
  }
}

function* pathsOf(config: Partial<Config>): Generator<PathField> {
  const { payload, memory, serial, vsock, tpm, ivshmem } = config;
  for (const key of ["firmware", "kernel", "initramfs", "igvm"] as const) {
    yield [`payload.${key}`, payload?.[key], "file"];
  }
  const items = payload?.fw_cfg_config?.items?.item_list;
  yield* each(
    items,
    "payload.fw_cfg_config.items.item_list",
    ({ file }) => [["file", file, "file"]],
  );
  yield* each(
    memory?.zones,
    "memory.zones",
    ({ file }) => [["file", file, "file"]],
  );
  for (const key of ["console", "serial", "debug_console"] as const) {
    if (config[key]?.mode !== "File") continue;
    yield [`${key}.file`, config[key].file, "file"];
  }
  if (serial?.mode === "Socket") {
    yield ["serial.socket", serial.socket, "listen"];
  }
  yield ["rng.src", config.rng?.src, "file"];
  yield ["tpm.socket", tpm?.socket, "connect"];
  yield ["vsock.socket", vsock?.socket, "listen"];
  yield ["ivshmem.path", ivshmem?.path, "file"];
  yield* devicePaths(config);
}

function* devicePaths(config: Partial<Config>): Generator<PathField> {
  yield* each(
    config.disks,
    "disks",
    ({ path, vhost_user, vhost_socket }) =>
      vhost_user
        ? [["vhost_socket", vhost_socket, "connect"]]
        : [["path", path, "file"]],
  );
  yield* each(
    config.net,
    "net",
    ({ vhost_user, vhost_socket, vhost_mode }) =>
      vhost_user
        ? [[
          "vhost_socket",
          vhost_socket,
          vhost_mode === "Server" ? "listen" : "connect",
        ]]
        : [],
  );
  for (const key of ["fs", "generic_vhost_user", "user_devices"] as const) {
    const items: readonly { socket: string }[] | undefined = config[key];
    yield* each(items, key, ({ socket }) => [["socket", socket, "connect"]]);
  }
  yield* each(config.pmem, "pmem", ({ file }) => [["file", file, "file"]]);
  for (const key of ["devices", "vdpa", "landlock_rules"] as const) {
    const items: readonly { path?: string }[] | undefined = config[key];
    yield* each(items, key, ({ path }) => [["path", path, "file"]]);
  }
}

function* each<Item>(
  items: readonly Item[] | undefined,
  path: string,
  fields: (item: Item) => readonly PathField[],
): Generator<PathField> {
  for (const [index, item] of (items ?? []).entries()) {
    for (const [field, value, use] of fields(item)) {
      yield [`${path}[${index}].${field}`, value, use];
    }
  }
}
