/** The configuration of each VM of a fleet. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { guestElf } from "../../examples/guest.ts";
import type { VmConfig } from "../../mod.ts";

/** A small VM, whose kernel is written into the directory of the fleet. */
export function configOf(directory: string): VmConfig {
  const kernel = process.env["KERNEL"] ?? join(directory, "guest.elf");
  if (!existsSync(kernel)) writeFileSync(kernel, guestElf("hello"));
  return {
    payload: { kernel },
    cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
    memory: { size: 64 << 20 },
    serial: { mode: "Off" },
    console: { mode: "Off" },
  };
}
