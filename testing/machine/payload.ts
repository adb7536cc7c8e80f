/** Opens the kernel, the firmware and the initial RAM file system. */
import type { Config } from "../../src/schema/config.ts";
import type { Host } from "./host.ts";
import { osError, VmmError } from "./vmm_error.ts";

/** Opens the initial RAM file system. A failure leaves no VM. */
export function openInitramfs(host: Host, { payload }: Config): void {
  const path = payload?.initramfs;
  if (path !== undefined) {
    attempt("Cannot open initramfs file", () => host.open(path));
  }
}

/** Loads the kernel or the firmware. A failure leaves a half-built VM. */
export function loadPayload(host: Host, { payload }: Config): void {
  const { firmware, kernel } = payload ?? {};
  const path = firmware ?? kernel!;
  if (host.isDirectory(path)) throw unloadable("Unable to read bzImage header");
  const head = attempt(
    firmware === undefined
      ? "Cannot open kernel file"
      : "Error manipulating firmware file",
    () => host.head(path, HEAD),
  );
  if (head === undefined || isElf(head) || isBzImage(head)) return;
  throw unloadable("Invalid bzImage");
}

const HEAD = 0x300;

function unloadable(reason: string): VmmError {
  const inner = `Kernel Loader: ${reason}`;
  return new VmmError(
    "failed",
    "Cannot load the kernel into memory",
    `Kernel Loader: failed to load bzImage kernel image: ${inner}`,
    inner,
  );
}

function isElf(head: Uint8Array): boolean {
  return head[0] === 0x7f && text(head, 1, 4) === "ELF";
}

function isBzImage(head: Uint8Array): boolean {
  return text(head, 0x202, 0x206) === "HdrS";
}

function text(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}

function attempt<T>(failure: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw new VmmError("failed", failure, osError(error));
  }
}
