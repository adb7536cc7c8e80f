/** What the guest is booted from. */
import type { PayloadConfig } from "../../src/generated/types.gen.ts";
import { BrokenRule, type Check } from "./rule.ts";

const ABOVE = ["Payload configuration is not bootable"];

/** Exactly one of kernel and firmware; a firmware has no command line. */
export function checkPayload({ config }: Check): void {
  const { firmware, kernel } = config.payload ?? {};
  if (firmware === undefined && kernel === undefined) {
    throw new BrokenRule(
      "No bootitem provided: neither firmware nor kernel",
      "invalid",
      ABOVE,
    );
  }
  if (firmware === undefined) return;
  if (kernel !== undefined) {
    throw new BrokenRule(
      "Specifying a kernel is not supported when a firmware is provided",
      "invalid",
      ABOVE,
    );
  }
  const payload: PayloadConfig = config.payload!;
  delete payload.cmdline;
  delete payload.initramfs;
}
