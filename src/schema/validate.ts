/** Validates requests before they are sent. */
import type { RequestName } from "../generated/requests.gen.ts";
import { checkSchema } from "./check_schema.ts";
import type { Problem, ProblemCode } from "./problem.ts";
import { schemaNameOf } from "./request_schema.ts";
import { requestViolations } from "./rules/request.ts";
import { toJsonValue } from "./to_json_value.ts";
import { withDefaults } from "./with_defaults.ts";

/**
 * Returns every problem of a request that can be found without a host: keys
 * that the VMM does not know (the VMM ignores them, so a misspelt key has no
 * effect), wrong types, values out of range, and values that are not valid
 * together. The result is empty if there is no problem. Files, devices and free
 * memory of the host are not checked.
 *
 * The default operation is `vm.create`, which takes the configuration of a VM.
 * Its rules include those that the VMM checks at `vm.boot`. The rules are those
 * of the newest release. Rules about several values are checked only if every
 * value has the right type.
 *
 * @param config The body of the request. It is not changed.
 * @param operation The wire name of the operation, such as `vm.add-disk`.
 * @throws {RangeError} if the operation takes no body.
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
 */
export function validate(
  config: unknown,
  operation: RequestName = "vm.create",
): Problem[] {
  const schema = schemaNameOf(operation);
  const problems: Problem[] = [];
  const body = toJsonValue(config, problems);
  if (problems.length > 0) return problems;
  problems.push(...checkSchema(schema, body));
  if (problems.some(({ code }) => UNREADABLE.includes(code))) return problems;
  const reported = new Set(problems.map(({ path }) => path));
  for (
    const violation of requestViolations(operation, withDefaults(schema, body))
  ) {
    const { path, kind, context, advice, until } = violation;
    // A rule that the newest release has no more.
    if (until !== undefined) continue;
    const chain = [...context, violation.message].join(": ");
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
