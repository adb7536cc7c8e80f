/** Looks a request over before it is sent. */
import type { RequestName } from "../generated/requests.gen.ts";
import { validators } from "../generated/validators.gen.ts";
import { problemsOf } from "./schema_error.ts";
import { DESCRIPTORS } from "./config.ts";
import { copy } from "./copy.ts";
import type { Problem, ProblemCode } from "./problem.ts";
import { rootOf } from "./root.ts";
import { requestViolations } from "./rules/request.ts";

/**
 * All that is wrong with a request, as far as can be told without a host: keys
 * that the VMM does not know (it ignores them, so that a misspelt one is lost),
 * wrong types, ranges, and values that do not go together. An empty list means
 * that nothing was found; files, devices and free memory are not looked at.
 *
 * Without an operation, a whole configuration is meant, as `vm.create` takes
 * it; then the rules of `vm.boot` count too. Of a device that is added, what
 * depends on the rest of the VM cannot be told. Rules are those of the newest
 * release. Values that go together are looked at once the types are right.
 *
 * @param config What is to be sent. It is not changed.
 * @param operation The wire name of the operation that takes it.
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
  const schema = rootOf(operation);
  const problems: Problem[] = [];
  const body = copy(config, problems);
  if (problems.length > 0) return problems;
  const check = validators[schema]!;
  if (!check(body)) problems.push(...problemsOf(check.errors!, schema, body));
  if (problems.some(({ code }) => UNREADABLE.includes(code))) return problems;
  settle(body as Record<string, unknown>);
  const told = new Set(problems.map(({ path }) => path));
  const found = new Set<string>();
  for (const broken of requestViolations(operation, body)) {
    const { path, kind, above } = broken;
    const message = [...above, broken.message].join(": ");
    // What the schema said, or what stops the VMM, is said once.
    if (told.has(path) || found.has(`${path} ${message}`)) continue;
    const code = kind === "panic" ? "fatal" : "broken_rule";
    if (code === "fatal") told.add(path);
    found.add(`${path} ${message}`);
    problems.push({ path, code, message });
  }
  return problems;
}

/** After these, a request is not what its type says. */
const UNREADABLE: readonly ProblemCode[] = [
  "wrong_type",
  "missing",
  "not_listed",
];

/** As the VMM reads it: null is nothing, and descriptors are -1. */
function settle(struct: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(struct)) {
    if (value === null) delete struct[key];
    else if (DESCRIPTORS.includes(key)) {
      struct[key] = Array.isArray(value) ? value.map(() => -1) : -1;
    } else if (typeof value === "object") {
      settle(value as Record<string, unknown>);
    }
  }
}
