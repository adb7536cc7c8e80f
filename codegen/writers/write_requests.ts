/** Writes requests.gen.ts: the schema of the body of each operation. */
import { endpoints, jsonSchema, refName, type Spec } from "../spec.ts";

/** The schema of each operation's body, by the operation's wire name. */
export function requestsOf(spec: Spec): Record<string, string> {
  return Object.fromEntries(
    endpoints(spec).flatMap(({ name, requestBody }) => {
      const ref = jsonSchema(requestBody)?.$ref;
      return ref ? [[name, refName(ref)]] : [];
    }),
  );
}

export function requestsSource(spec: Spec): string {
  const requests = requestsOf(spec);
  const names = Object.keys(requests).map((name) => `"${name}"`);
  return `// Made by \`deno task gen\` from spec/cloud-hypervisor.yaml.

/** An operation that takes a body, by its wire name. */
export type RequestName =
  | ${names.join("\n  | ")};

/** The schema of each operation's body; other operations have none. */
export const requests:
  & { readonly [name in RequestName]: string }
  & { readonly [name: string]: string | undefined } = ${
    JSON.stringify(requests, null, 2)
  };
`;
}
