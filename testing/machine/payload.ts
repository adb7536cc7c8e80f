/** Loads the kernel or the firmware, and configures the system for it. */
import type { Config } from "../../src/schema/config.ts";
import type { Release } from "../release_type.ts";
import { lowMemory } from "./guest_memory.ts";
import type { Host } from "./host.ts";
import { uuidError } from "./uuid.ts";
import { attempt, Panic, VmmError } from "./vmm_error.ts";

/** Opens the initial RAM file system. A failure leaves no VM. */
export function openInitramfs(host: Host, { payload }: Config): void {
  const path = payload?.initramfs;
  if (path !== undefined) {
    attempt(() => host.open(path), "Cannot open initramfs file");
  }
}

/** The address of the ACPI tables, and the bytes that they need at least. */
const ACPI_TABLES = 0xa0000n;
const ACPI_BYTES = 5169n;

/**
 * Writes the ACPI tables into guest memory.
 *
 * @throws {VmmError | Panic} if the memory is too small, by release.
 */
export function writeAcpiTables(
  host: Host,
  { acpiTables }: Release,
  config: Config,
): void {
  const memory = lowMemory(host, config);
  if (memory >= ACPI_TABLES + ACPI_BYTES || memory === 0n) return;
  if (acpiTables === "panic") throw new Panic("Error writing ACPI tables");
  const left = memory - ACPI_TABLES;
  throw new VmmError(
    "failed",
    "Error creating ACPI tables",
    "Failed to write ACPI data to guest memory",
    "Guest memory error: " +
      (left <= 0n
        ? `invalid guest address ${ACPI_TABLES}`
        : `only used ${left - 36n} bytes in ${ACPI_BYTES - 36n} long buffer`),
  );
}

/** Longest command line in bytes, with the NUL at its end. */
const MAX_CMDLINE = 0x10000;

/** Loads the kernel or the firmware. A failure leaves a half-built VM. */
export function loadPayload(host: Host, config: Config): void {
  const { firmware, kernel, cmdline } = config.payload ?? {};
  const path = firmware ?? kernel!;
  const message = firmware === undefined
    ? "Cannot open kernel file"
    : "Error manipulating firmware file";
  attempt(() => host.open(path), message);
  if (firmware === undefined && cmdline !== undefined) checkCmdline(cmdline);
  if (host.isDirectory(path)) throw notLoaded("Unable to read bzImage header");
  const head = host.read(path, HEAD);
  if (head === undefined || isBzImage(head)) return;
  if (isElf(head) && endOfElf(host, path, head) <= lowMemory(host, config)) {
    return;
  }
  throw notLoaded("Invalid bzImage");
}

/** Whitespace at both ends is cut off, then only ASCII is allowed. */
function checkCmdline(cmdline: string): void {
  const text = cmdline.trim();
  const problem = /[^ -~]/u.test(text)
    ? "String contains a non-printable ASCII character."
    : text.length + 1 > MAX_CMDLINE
    ? "Inserting string would make command line too long."
    : undefined;
  if (problem === undefined) return;
  const message = "Cannot modify the kernel command line";
  throw new VmmError("failed", message, problem);
}

/** Places the initial RAM file system, and writes the SMBIOS tables. */
export function configureSystem(host: Host, config: Config): void {
  const { payload, platform } = config;
  if (payload?.initramfs !== undefined && host.isDirectory(payload.initramfs)) {
    throw new VmmError(
      "failed",
      "Cannot determine initramfs load address",
      "Failed to compute initramfs address",
    );
  }
  const uuid = platform?.system_uuid ?? platform?.uuid;
  const problem = uuid == null ? undefined : uuidError(uuid);
  if (problem === undefined) return;
  throw new VmmError(
    "failed",
    "Cannot configure system",
    "Platform specific error (x86_64)",
    "Error setting up SMBIOS table",
    `Failure to parse uuid: ${uuid}`,
    problem,
  );
}

const HEAD = 0x300;

function notLoaded(reason: string): VmmError {
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

const PROGRAM_HEADER = 56;
const PT_LOAD = 1;

/** The end of the segments of a 64-bit ELF in guest memory. */
function endOfElf(host: Host, path: string, head: Uint8Array): bigint {
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  if (head.length < 64) return 0n;
  const offset = Number(view.getBigUint64(32, true));
  const count = view.getUint16(56, true);
  const table = host.read(path, count * PROGRAM_HEADER, offset)!;
  const headers = new DataView(table.buffer, table.byteOffset, table.length);
  let end = 0n;
  for (let at = 0; at + PROGRAM_HEADER <= table.length; at += PROGRAM_HEADER) {
    if (headers.getUint32(at, true) !== PT_LOAD) continue;
    const address = headers.getBigUint64(at + 24, true);
    const size = headers.getBigUint64(at + 40, true);
    if (address + size > end) end = address + size;
  }
  return end;
}

function text(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}
