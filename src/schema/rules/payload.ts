/** What the guest is booted from. */
import type { PayloadConfigInfo } from "../../generated/types.gen.ts";
import type { Config } from "../config.ts";
import { type Violation, violation } from "./rule.ts";

const ABOVE = ["Payload configuration is not bootable"];

/** Exactly one of kernel, firmware and IGVM file, and what goes with each. */
export function* payloadViolations(
  { payload, platform }: Config,
): Generator<Violation> {
  const { firmware, kernel, igvm } = payload ?? {};
  if (payload === undefined || (firmware ?? kernel ?? igvm) === undefined) {
    const message = "No bootitem provided: neither firmware nor kernel";
    yield violation("payload", message, "invalid", ABOVE);
    return;
  }
  if (igvm !== undefined && (firmware ?? kernel) !== undefined) {
    const message =
      "Specifying a kernel or firmware is not supported when an " +
      "igvm is provided";
    yield violation("payload.igvm", message, "invalid", ABOVE);
  } else if (firmware !== undefined && kernel !== undefined) {
    const message = "Specifying a kernel is not supported when a firmware is " +
      "provided";
    yield violation("payload.kernel", message, "invalid", ABOVE);
  }
  if (firmware !== undefined) {
    delete payload.cmdline;
    delete payload.initramfs;
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

/** Each part that is offered has to be there; files have one source. */
function* fwCfgViolations(payload: PayloadConfigInfo): Generator<Violation> {
  const offered = payload.fw_cfg_config;
  if (offered === undefined) return;
  const path = "payload.fw_cfg_config";
  for (const part of ["kernel", "cmdline", "initramfs"] as const) {
    if (!offered[part] || payload[part] !== undefined) continue;
    const message = `Error --fw-cfg-config: missing --${part}`;
    yield violation(`${path}.${part}`, message, "invalid", ABOVE);
  }
  const items = offered.items?.item_list ?? [];
  for (const [index, { name, file, string }] of items.entries()) {
    if ((file === undefined) !== (string === undefined)) continue;
    const message = `invalid item '${name}' (exactly one of 'file' or ` +
      "'string' is required)";
    yield violation(
      `${path}.items.item_list[${index}]`,
      message,
      "invalid",
      ABOVE,
    );
  }
}
