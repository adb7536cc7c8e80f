/** Validates the configuration of a command line before there is a VM. */
import { Buffer } from "node:buffer";
import type { VmConfig } from "../../src/generated/types.gen.ts";
import { stringify } from "../../src/json/json.ts";
import type { Config } from "../../src/schema/config.ts";
import { Host } from "../machine/host.ts";
import type { Files } from "../machine/host.ts";
import { validate } from "../machine/validate.ts";
import { Panic, VmmError } from "../machine/vmm_error.ts";
import type { Release } from "../release_type.ts";
import { deserialize } from "../serde/deserialize.ts";

/**
 * The chain with which the program ends, or undefined where it goes on. A
 * request is validated at the boot; a command line as soon as it is parsed.
 */
export function configRefusal(
  release: Release,
  config: VmConfig,
  files: Files,
): readonly string[] | undefined {
  const bytes = Buffer.from(stringify(config)!);
  const whole = deserialize<Config>(release, "VmConfig", bytes);
  keepDescriptors(config, whole);
  try {
    validate(release, whole, new Host(files));
    return undefined;
  } catch (error) {
    const [, ...chain] = error instanceof VmmError
      ? error.chain
      : error instanceof Panic
      ? ["", error.message]
      : [];
    if (chain.length === 0) throw error;
    return ["Error parsing config", "Error validating configuration", ...chain];
  }
}

/** Descriptors do not pass through JSON, but they do pass through flags. */
function keepDescriptors(config: VmConfig, whole: Config): void {
  for (const [index, { fds }] of (config.net ?? []).entries()) {
    if (fds != null) whole.net![index]!.fds = fds;
  }
  for (const [index, { fd }] of (config.devices ?? []).entries()) {
    if (fd != null) whole.devices![index]!.fd = fd;
  }
  const descriptor = config.platform?.iommufd_fd;
  if (descriptor != null) whole.platform!.iommufd_fd = descriptor;
}
