/** Writes refusals.gen.ts: when operations work, and how their failures begin. */
import { endpoints, type Spec } from "../spec.ts";

export function refusalsSource(spec: Spec): string {
  const rows = endpoints(spec).map((endpoint) => {
    const { name, "x-states": states, "x-failure-message": message } = endpoint;
    const { "x-since": since, "x-feature": feature } = endpoint;
    const row = { states, message, since, feature };
    return `  "${name}": ${JSON.stringify(row)},`;
  });
  return `// Made by \`deno task gen\` from spec/cloud-hypervisor.yaml.
import type { OperationName } from "./api.gen.ts";

/** When an operation does its work, and how its refusals begin. */
export interface Refusal {
  /** The states of the VM in which the operation does its work. */
  readonly states: readonly string[];
  /** The second message of each refusal. */
  readonly message: string;
  /** The first release that has the operation, if not all have it. */
  readonly since?: string;
  /** The feature of the builds that have the operation. */
  readonly feature?: string;
}

/** The refusals of each operation. */
export const refusals: { readonly [name in OperationName]: Refusal } = {
${rows.join("\n")}
};
`;
}
