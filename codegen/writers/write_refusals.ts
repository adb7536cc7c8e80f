/** Writes refusals.gen.ts: when operations work, and how their failures begin. */
import { endpoints, type Spec } from "../spec.ts";

export function refusalsSource(spec: Spec): string {
  const rows = endpoints(spec).map((endpoint) => {
    const { name, "x-states": states, "x-failure-message": message } = endpoint;
    return `  "${name}": ${JSON.stringify({ states, message })},`;
  });
  return `// Made by \`deno task gen\` from spec/cloud-hypervisor.yaml.
import type { OperationName } from "./api.gen.ts";

/** When an operation does its work, and how its refusals begin. */
export interface Refusal {
  /** The states of the VM in which the operation does its work. */
  readonly states: readonly string[];
  /** The second message of each refusal. */
  readonly message: string;
}

/** The refusals of each operation. */
export const refusals: { readonly [name in OperationName]: Refusal } = {
${rows.join("\n")}
};
`;
}
