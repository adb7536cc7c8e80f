/** Checks the options of `spawnVmm` before anything is created. */
import { checkPath } from "../arguments/path.ts";
import { InvalidRequestError } from "../errors/errors.ts";
import { checkDeadline } from "../wait/deadline.ts";
import { isWorker } from "./main_thread.ts";
import type { SpawnVmmOptions } from "./options.ts";

/** @throws {InvalidRequestError} with the option that is wrong. */
export function checkSpawnOptions(options: SpawnVmmOptions): void {
  for (const name of ["timeoutMs", "stopTimeoutMs"] as const) {
    if (options[name] !== undefined) checkDeadline(name, options[name]);
  }
  if (options.logFile !== undefined) checkPath("logFile", options.logFile);
  const { args = [], config, detach, landlock, parentDeathSignal } = options;
  if (detach) checkDetach(options);
  if (isWorker() && !parentDeathSignal && !detach) {
    refuse(
      "parentDeathSignal",
      "a VMM that is spawned in a worker outlives the script: spawn it in the main thread, or set parentDeathSignal or detach",
    );
  }
  if (landlock && config === undefined) {
    refuse(
      "landlock",
      "it confines the VM of config, which is missing; or set landlock_enable in the body of vm.create",
    );
  }
  checkGuestRules(options);
  const flags = args.map((arg) => arg.split("=", 1)[0]!);
  const payload = flags.find((flag) => PAYLOAD_FLAGS.has(flag));
  if (payload && config) {
    refuse("config", `args describe a VM already, by ${payload}`);
  }
  const vmFlag = flags.find((flag) => VM_FLAGS.has(flag));
  if (vmFlag && !flags.some((flag) => BOOT_FLAGS.has(flag))) {
    refuse(
      "args",
      `${vmFlag} needs a VM on the command line: describe the whole VM in args, with --kernel or --firmware, and leave out config`,
    );
  }
}

function checkGuestRules(options: SpawnVmmOptions): void {
  for (const name of ["onReboot", "onPanic"] as const) {
    const value: unknown = options[name];
    if (value === undefined || value === "end" || value === "continue") {
      continue;
    }
    refuse(name, `${JSON.stringify(value)} is neither "continue" nor "end"`);
  }
  const { onPanic, config, args = [] } = options;
  if (onPanic !== "end") return;
  if (config?.pvpanic === false) {
    refuse("onPanic", "the guest cannot report a panic with pvpanic: false");
  }
  const flags = args.map((arg) => arg.split("=", 1)[0]!);
  if (
    flags.some((flag) => BOOT_FLAGS.has(flag)) && !flags.includes("--pvpanic")
  ) {
    refuse("onPanic", "the VM of args needs the flag --pvpanic, too");
  }
}

/** A VMM that outlives the script needs nothing that ends with the script. */
function checkDetach(options: SpawnVmmOptions): void {
  const { directory, parentDeathSignal, onSignal = "ignore" } = options;
  if (directory === undefined) {
    refuse(
      "directory",
      "detach needs a directory in which the next run finds the VMM",
    );
  }
  if (parentDeathSignal || onSignal !== "ignore") {
    const field = parentDeathSignal ? "parentDeathSignal" : "onSignal";
    refuse(field, "it ends the VMM with the script; leave it out, or detach");
  }
  for (const name of ["onReboot", "onPanic"] as const) {
    if (options[name] !== "end") continue;
    refuse(
      name,
      "only a script that runs can end the VMM; leave it out, or detach",
    );
  }
  if (options.console) {
    refuse(
      "console",
      'its socket is read only while the script runs, and a connection that ends with unread output silences the port; with detach, set serial: { mode: "File", file: … } in the VM',
    );
  }
  if (options.stdout === "inherit") {
    refuse(
      "stdout",
      'with detach the stdout of the VMM is the file "stdout" of its directory; leave it out, or set "ignore"',
    );
  }
}

/** Tells whether the VMM boots or restores a VM from its command line. */
export function hasPayload({ args = [] }: SpawnVmmOptions): boolean {
  return args.some((arg) => PAYLOAD_FLAGS.has(arg.split("=", 1)[0]!));
}

function refuse(field: string, reason: string): never {
  throw new InvalidRequestError("invalid_request", field, reason);
}

/** The flags of the VMM's group `vm-payload`. */
const BOOT_FLAGS: ReadonlySet<string> = new Set([
  "--firmware",
  "--igvm",
  "--kernel",
]);

const PAYLOAD_FLAGS: ReadonlySet<string> = new Set([
  ...BOOT_FLAGS,
  "--restore",
]);

/** The flags of the VMM's group `vm-config`, which needs a payload. */
const VM_FLAGS: ReadonlySet<string> = new Set([
  "--balloon",
  "--cmdline",
  "--console",
  "--cpus",
  "--debug-console",
  "--device",
  "--disk",
  "--fs",
  "--generic-vhost-user",
  "--host-data",
  "--initramfs",
  "--ivshmem",
  "--landlock",
  "--landlock-rules",
  "--memory",
  "--memory-zone",
  "--net",
  "--numa",
  "--pci-segment",
  "--platform",
  "--pmem",
  "--pvmemcontrol",
  "--pvpanic",
  "--rate-limit-group",
  "--rng",
  "--rtc",
  "--serial",
  "--tpm",
  "--user-device",
  "--vdpa",
  "--vsock",
  "--watchdog",
]);
