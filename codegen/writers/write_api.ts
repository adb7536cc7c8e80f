/**
 * Writes api.gen.ts: the methods behind `client.vm` and `client.vmm`, and the
 * table of operations that the client and the fake VMM share.
 */
import { methodDoc, resultType } from "../docstrings.ts";
import {
  type Endpoint,
  endpoints,
  jsonSchema,
  refName,
  type Spec,
} from "../spec.ts";

export function apiSource(spec: Spec): string {
  const all = endpoints(spec);
  const groups = Map.groupBy(all, ({ operationId }) => groupOf(operationId));
  return [
    HEADER,
    `import type {\n${
      lines(typesOf(all), "  ", ",")
    }\n} from "./types.gen.ts";`,
    releases(spec),
    `/** The operations by their wire names, as the path spells them. */
export type OperationName =\n${
      lines(all.map(({ name }) => `"${name}"`), "  | ")
    };`,
    `/** Every operation of the API. */
export const operations: {
  readonly [name in OperationName]: Operation<name>;
} = toOperations({\n${all.map(description).join("\n")}\n});`,
    nullableKeys(spec),
    ...[...groups].map(([name, members]) => groupInterface(name, members)),
    apiInterface([...groups.keys()]),
    FACTORY,
  ].join("\n\n") + "\n";
}

function groupOf(operationId: string): string {
  return operationId.slice(0, operationId.indexOf("."));
}

function methodOf({ operationId }: Endpoint): string {
  return operationId.slice(operationId.indexOf(".") + 1);
}

function interfaceName(group: string): string {
  return `${group[0]!.toUpperCase()}${group.slice(1)}Api`;
}

function bodyType({ requestBody }: Endpoint): string | undefined {
  const ref = jsonSchema(requestBody)?.$ref;
  return ref && refName(ref);
}

function typesOf(all: Endpoint[]): string[] {
  const names = all.flatMap((endpoint) => [
    bodyType(endpoint),
    resultType(endpoint).split(" ")[0],
  ]);
  return [...new Set(names)]
    .filter((name) => name !== undefined && name !== "void")
    .sort() as string[];
}

function description(endpoint: Endpoint): string {
  const { name, method, "x-returns": returns } = endpoint;
  // The defaults are left out: every script loads the table.
  const marks = [
    ...(method === "PUT" ? [] : [`method: "${method}"`]),
    ...(returns === "nothing" ? [] : [`returns: "${returns}"`]),
    ...(resultType(endpoint) === "VmCounters" ? ["bigint: true"] : []),
    ...(endpoint["x-may-close"] ? ["mayClose: true"] : []),
    ...(["since", "feature"] as const).flatMap((mark) =>
      endpoint[`x-${mark}`] ? [`${mark}: "${endpoint[`x-${mark}`]}"`] : []
    ),
  ];
  const values = [
    endpoint["x-deadline-ms"] ?? "Infinity",
    endpoint.requestBody !== undefined,
    ...(marks.length > 0 ? [`{ ${marks.join(", ")} }`] : []),
  ];
  return `  "${name}": [${values.join(", ")}],`;
}

function groupInterface(group: string, members: Endpoint[]): string {
  return `/**
 * The operations \`${group}.*\`. Besides the codes that a method lists, any call
 * can reject with an {@linkcode ApiError} of another code, such as \`other\`,
 * \`migrating\`, \`overloaded\` or \`vmm_gone\`; with a
 * {@linkcode ConnectionError}, {@linkcode DeadlineError} or
 * {@linkcode InvalidRequestError}; or with the reason of its signal.
 */
export interface ${interfaceName(group)} {
${members.map(signature).join("\n\n")}
}`;
}

function signature(endpoint: Endpoint): string {
  const body = bodyType(endpoint);
  const parameters = `${body ? `body: ${body}, ` : ""}options?: CallOptions`;
  const result = resultType(endpoint);
  return `${indent(methodDoc(endpoint))}
  ${methodOf(endpoint)}(${parameters}): Promise<${result}>;`;
}

function apiInterface(groups: string[]): string {
  const members = groups.map((name) =>
    `  /** The operations \`${name}.*\`. */
  readonly ${name}: ${interfaceName(name)};`
  );
  return `/** All operations, grouped by the first word of their paths. */
export interface Api {\n${members.join("\n")}\n}`;
}

function releases({ info }: Spec): string {
  const all = info["x-releases"];
  const { name: newest, commit } = all.at(-1)!;
  return `/** The VMM releases that the types describe; \`vmm.ping\` returns the VMM's own. */
export const apiSpec: ApiSpec = {
  oldest: "${all[0]!.name}",
  newest: "${newest}",
  commit: "${commit}",
};`;
}

/** The names of fields that are null, not absent, when they are not set. */
function nullableKeys({ components }: Spec): string {
  const names = Object.values(components.schemas)
    .flatMap(({ properties = {} }) => Object.entries(properties))
    .filter(([, field]) => field["x-returned"] === "nullable")
    .map(([name]) => name);
  return `/** The fields that \`vm.info\` returns as null when they are not set. */
export const nullableKeys: readonly string[] = ${
    JSON.stringify([...new Set(names)])
  };`;
}

function lines(items: string[], before: string, after = ""): string {
  return items.map((item) => `${before}${item}${after}`).join("\n");
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}

const HEADER = `// Made by \`deno task gen\` from spec/cloud-hypervisor.yaml.
import type { ApiSpec } from "../generated_support/api_spec.ts";
import type { CallOptions } from "../generated_support/call_options.ts";
import {
  type Call,
  type Operation,
  toMethods,
  toOperations,
} from "../generated_support/operation.ts";`;

const FACTORY =
  `/** Makes the methods out of one function that makes every call. */
export function createApi(call: Call<OperationName>): Api {
  return toMethods(operations, call) as unknown as Api;
}`;
