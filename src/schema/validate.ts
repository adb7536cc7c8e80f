/** Validates requests before they are sent. */
import type { RequestName } from "../generated/requests.gen.ts";
import type { VmConfig, VmConfigInfo } from "../generated/types.gen.ts";
import type { VmmRelease } from "../generated_support/release.ts";
import { checkSchema } from "./check_schema.ts";
import type { Config } from "./config.ts";
import type { Problem, ProblemCode } from "./problem.ts";
import { schemaNameOf } from "./request_schema.ts";
import { hasRule, missingOperation } from "./releases.ts";
import { requestViolations } from "./rules/all_request_rules.ts";
import { toJsonValue } from "./to_json_value.ts";
import { withDefaults } from "./with_defaults.ts";

/** Options of {@linkcode validate}. */
export interface ValidateOptions {
  /**
   * The configuration of the VM that gets the request: `config` of `vm.info`.
   * Ids, slots, queues, images and sizes are then checked against this VM.
   * Ignored for `vm.create`.
   */
  readonly vm?: VmConfig | VmConfigInfo | undefined;
  /**
   * The release of the VMM, such as `v52.0`: `client.release()` asks for it.
   * Keys that the release ignores, values that it refuses and operations that it
   * does not have are then problems.
   *
   * Default: the newest release.
   */
  readonly release?: VmmRelease | undefined;
}

/**
 * Returns every problem of a request that can be found without a host: keys
 * that the VMM does not know (the VMM ignores them, so a misspelt key has no
 * effect), wrong types, values out of range, and values that are not valid
 * together. The result is empty if there is no problem. Files, devices and free
 * memory of the host are not checked.
 *
 * The default operation is `vm.create`, which takes the configuration of a VM.
 * Its rules include those that the VMM checks at `vm.boot`. For an operation on
 * a VM that runs, give the configuration of that VM as `options.vm`. The default
 * release is the newest. Rules about several values are those of the release,
 * and are checked only if every value has the right type.
 *
 * @param config The body of the request. It is not changed.
 * @param operation The wire name of the operation, such as `vm.add-disk`.
 * @param options The VM that gets the request, and the release of the VMM.
 * @throws {RangeError} if the operation takes no body, or `options.release` is
 * no name of a release.
 * @throws {TypeError} if `options.vm` is not the configuration of a VM.
 *
 * @example A misspelt key
 * ```ts
 * import { validate } from "jsr:@chv/cloud-hypervisor/schema";
 *
 * const config = {
 *   payload: { kernel: "/boot/vmlinux" },
 *   disks: [{ path: "/images/root.raw", readOnly: true }],
 * };
 * for (const { path, message } of validate(config)) {
 *   console.error(`${path}: ${message}`);
 * }
 * // disks[0].readOnly: DiskConfig has no such key; did you mean "readonly"?
 * ```
 *
 * @example A disk for a VM that runs
 * ```ts
 * import { createClient } from "jsr:@chv/cloud-hypervisor";
 * import { validate } from "jsr:@chv/cloud-hypervisor/schema";
 *
 * const { vm } = createClient("/run/vm0/api.sock");
 * const { config } = await vm.info();
 * const disk = { path: "/images/data.raw", num_queues: 8 };
 * const problems = validate(disk, "vm.add-disk", { vm: config });
 * if (problems.length === 0) await vm.addDisk(disk);
 * ```
 */
export function validate(
  config: unknown,
  operation: RequestName = "vm.create",
  options: ValidateOptions = {},
): Problem[] {
  const schema = schemaNameOf(operation);
  const { release } = options;
  const missing = missingOperation(operation, release);
  if (missing !== undefined) return [missing];
  const vm = options.vm === undefined
    ? undefined
    : readConfig(options.vm, release);
  const problems: Problem[] = [];
  const given = toJsonValue(config, problems);
  if (problems.length > 0) return problems;
  problems.push(...checkSchema(schema, given, release));
  if (problems.some(({ code }) => UNREADABLE.includes(code))) return problems;
  const body = withDefaults(schema, given, release);
  const reported = new Set(problems.map(({ path }) => path));
  for (const broken of requestViolations(operation, { given, body, vm })) {
    const { path, kind, context, advice } = broken;
    if (!hasRule(broken, release)) continue;
    const chain = [...context, broken.message].join(": ");
    const message = advice === undefined ? chain : `${chain}; ${advice}`;
    // The schema or a fatal rule has reported this value already.
    if (reported.has(path) || reported.has(`${path} ${message}`)) continue;
    const code = kind === "fatal" ? "fatal" : "broken_rule";
    reported.add(code === "fatal" ? path : `${path} ${message}`);
    problems.push({ path, code, message });
  }
  return problems;
}

/** After these problems, the body does not have the type of the request. */
const UNREADABLE: readonly ProblemCode[] = [
  "wrong_type",
  "missing",
  "not_listed",
];

/** @throws {TypeError} if the value is not the configuration of a VM. */
function readConfig(vm: unknown, release: VmmRelease | undefined): Config {
  const problems: Problem[] = [];
  const value = toJsonValue(vm, problems);
  problems.push(...checkSchema("VmConfig", value));
  // A later release may add keys and strings.
  const wrong = problems.find(({ code }) => code === "wrong_type");
  if (wrong === undefined) {
    return withDefaults("VmConfig", value, release) as Config;
  }
  throw new TypeError(
    "options.vm is not the configuration of a VM: " +
      `${wrong.path}: ${wrong.message}`,
  );
}
