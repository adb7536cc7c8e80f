/** `payload`: the kernel, firmware or IGVM file that the guest boots from. */
import type { PayloadConfigInfo } from "../../generated/types.gen.ts";
import type { Config } from "../config.ts";
import { type Violation, violation } from "./rule.ts";

/** Exactly one of kernel, firmware and IGVM file, and what fits each. */
export function* payloadViolations(
  { payload, platform }: Config,
): Generator<Violation> {
  const { firmware, kernel, igvm } = payload ?? {};
  if (payload === undefined || (firmware ?? kernel ?? igvm) === undefined) {
    const message = "No bootitem provided: neither firmware nor kernel";
    const advice = 'give "payload.kernel" or "payload.firmware"';
    yield notBootable("payload", message, advice);
    return;
  }
  if (igvm !== undefined && (firmware ?? kernel) !== undefined) {
    const message =
      "Specifying a kernel or firmware is not supported when an " +
      "igvm is provided";
    yield notBootable("payload.igvm", message);
  } else if (firmware !== undefined && kernel !== undefined) {
    const message = "Specifying a kernel is not supported when a firmware is " +
      "provided";
    yield notBootable("payload.kernel", message);
  }
  yield* fwCfgViolations(payload);
  if (platform?.sev_snp !== true) return;
  if (payload.host_data !== undefined && payload.host_data.length !== 64) {
    yield violation("payload.host_data", "Invalid host data format");
  }
  if (igvm === undefined) {
    const message = "SEV-SNP requires an IGVM payload (--payload igvm=<path>)";
    yield violation("payload.igvm", message);
  }
}

const MAX_CMDLINE = 65_535;

/** The kernel command line, which a boot with firmware ignores. */
export function* cmdlineViolations(
  { payload }: Config,
): Generator<Violation> {
  const { cmdline, firmware } = payload ?? {};
  if (cmdline === undefined || firmware !== undefined) return;
  const path = "payload.cmdline";
  // As the VMM trims it: by Unicode's white space.
  const text = cmdline.replace(/^\p{White_Space}+|\p{White_Space}+$/gu, "");
  const wrong = /[^ -~]/u.exec(text);
  if (wrong !== null) {
    const message = "String contains a non-printable ASCII character.";
    const advice = `replace ${JSON.stringify(wrong[0])} at index ` +
      (cmdline.indexOf(text) + wrong.index);
    yield violation(path, message, { advice });
  } else if (text.length > MAX_CMDLINE) {
    const message = "Inserting string would make command line too long.";
    const advice = `use at most ${MAX_CMDLINE} characters`;
    yield violation(path, message, { advice });
  }
}

/** Each offered part must exist, and each item must have one source. */
function* fwCfgViolations(payload: PayloadConfigInfo): Generator<Violation> {
  const offered = payload.fw_cfg_config;
  if (offered === undefined) return;
  const path = "payload.fw_cfg_config";
  // The VMM drops these two from the configuration of a firmware.
  const dropped = payload.firmware === undefined
    ? []
    : ["cmdline", "initramfs"];
  for (const part of ["kernel", "cmdline", "initramfs"] as const) {
    if (!offered[part]) continue;
    if (payload[part] !== undefined && !dropped.includes(part)) continue;
    const message = `Error --fw-cfg-config: missing --${part}`;
    yield notBootable(`${path}.${part}`, message);
  }
  const items = offered.items?.item_list ?? [];
  for (const [index, { name, file, string }] of items.entries()) {
    if ((file === undefined) !== (string === undefined)) continue;
    const message = `invalid item '${name}' (exactly one of 'file' or ` +
      "'string' is required)";
    yield notBootable(`${path}.items.item_list[${index}]`, message);
  }
}

function notBootable(
  path: string,
  message: string,
  advice?: string,
): Violation {
  const context = ["Payload configuration is not bootable"];
  return violation(path, message, { context, advice });
}
