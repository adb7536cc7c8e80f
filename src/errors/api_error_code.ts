/**
 * Reads an error code off what the VMM said. Releases answer the same refusal
 * with different statuses (v53.0 says 500 where later ones say 400, 404 or
 * 409), so the message decides, and the status only where there is none.
 */
import type { ApiErrorCode } from "./errors.ts";

export interface Diagnosis {
  code: ApiErrorCode;
  /** What the caller can do about it. */
  advice?: string;
}

export function diagnose(
  status: number,
  messages: readonly string[],
): Diagnosis {
  const said = messages.join("\n");
  const code = status === 400 && said === ""
    ? "invalid_json"
    : SIGNS.find(([, sign]) =>
      typeof sign === "number" ? sign === status : sign.test(said)
    )?.[0] ?? "other";
  const advice = ADVICE[code];
  return advice === undefined ? { code } : { code, advice };
}

/** The first that fits wins. */
const SIGNS: readonly [ApiErrorCode, number | RegExp][] = [
  ["overloaded", 503],
  ["busy", 429],
  ["vmm_gone", /on a closed channel/],
  ["migrating", /is currently migrating|already an ongoing migration/],
  ["not_created", /VM is not created|VM config is missing/],
  ["already_exists", /VM is already created/],
  [
    "wrong_state",
    /Invalid transition|not running or paused|while VM is running/,
  ],
  ["not_running", /VM is not running/],
  ["unknown_device", /Failed to find device|No device with id/],
  ["duplicate_id", /is not unique|Duplicated device path/],
  ["too_large", /is larger than the limit/],
  ["invalid_json", /Failed to deserialize JSON|^Bad Request$/],
  ["unsupported", /^Not Found$|Not allowed to remove this type of device/],
  ["invalid_config", /Failed to validate config|Payload configuration/],
  ["invalid_config", /Memory configuration is not valid|is misaligned/],
  ["invalid_config", /Invalid NUMA configuration|No memory zones found/],
  ["invalid_config", /Requested (zero vCPUs|vCPUs exceed)|not a valid size/],
  ["invalid_config", /Invalid resize request|Impossible to resize guest/],
  ["invalid_config", /Missing virtio-balloon|Too many virtio-vsock devices/],
  ["invalid_config", /Cannot hotplug device behind vIOMMU/],
  ["invalid_config", /Expected receiver_url|validating send migration/],
];

const ADVICE: { readonly [code in ApiErrorCode]?: string } = {
  not_created: "create a VM first with vm.create",
  not_running: "boot the VM first with vm.boot",
  already_exists: "delete the VM first with vm.delete",
  migrating: "wait until the migration has ended",
  duplicate_id:
    "choose another id; a removed device's stays taken until the guest lets go",
  too_large: "v53.0 takes bodies up to 51200 bytes, later releases 4 MiB",
  invalid_json: "validate() of ./schema says which field it is",
  unsupported: "this VMM's build or release has no such operation",
  busy: "nothing was done: try again when the guest has let the vCPUs go",
  overloaded:
    "nothing was done: all of the VMM's ten connections are taken, try again",
  vmm_gone: "the VMM is dying",
};
