/** The operations as one Markdown table: docs/operations.md. */
import { deadlineText } from "../docstrings.ts";
import { item, paragraph, table } from "./markdown.ts";
import {
  type Endpoint,
  endpoints,
  jsonSchema,
  refName,
  type Spec,
} from "../spec.ts";

/** Returns the page, formatted as by `deno fmt`. */
export function operationsPage(
  spec: Spec,
  general: readonly (readonly [code: string, meaning: string])[],
): string {
  const rows = endpoints(spec).map(cells);
  const { oldest, newest } = spec.info["x-releases"];
  const newer = [...marks(spec)].map((since) => `\\* is since ${since}`);
  return [
    "# All operations",
    "",
    ...paragraph(
      `Made by \`deno task docs\` from \`spec/cloud-hypervisor.yaml\`; do not edit. Releases: ${oldest} and ${newest}. The table is wide; it has these columns.`,
    ),
    "",
    ...[
      "**Wire**: the HTTP method and the path, below `/api/v1`.",
      "**Call**: the method of the client, with the type of its body.",
      "**States**: the states of the VM in which the operation works. `None`: the VMM has no VM. `Migrating`: the VM is being sent to another VMM.",
      "**Success**: the statuses of success, with the types of their bodies.",
      `**Refusal**: the statuses of refusal; ${newer}. Decide by the code: releases differ in the statuses of the same refusal.`,
      "**Codes**: the codes of `ApiError` that the operation adds to those below.",
      "**Deadline**: the default of `timeoutMs`.",
    ].flatMap(item),
    "",
    ...table([HEAD, ...rows]),
    "",
    "Any call can also end with one of these codes:",
    "",
    ...general.flatMap(([code, meaning]) => item(`\`${code}\`: ${meaning}`)),
    "",
    ...paragraph(
      "and with the errors that are not the VMM's: `ConnectionError`, `DeadlineError`, `InvalidRequestError` and the signal's own reason. [All codes](errors.md) has the advice for each.",
    ),
    "",
  ].join("\n");
}

/** The releases since which there are statuses that the oldest lacks. */
function marks(spec: Spec): Set<string> {
  return new Set(
    endpoints(spec).flatMap(({ responses }) =>
      Object.values(responses).flatMap((answer) => answer["x-since"] ?? [])
    ),
  );
}

const HEAD = [
  "Wire",
  "Call",
  "States",
  "Success",
  "Refusal",
  "Codes",
  "Deadline",
];

function cells(endpoint: Endpoint): string[] {
  const { method, name, operationId, responses } = endpoint;
  const ref = jsonSchema(endpoint.requestBody)?.$ref;
  const builds = endpoint["x-feature"];
  const refusals = Object.entries(responses).filter(([status]) =>
    status >= "300"
  );
  return [
    `\`${method} /${name}\`${builds ? ` (builds with \`${builds}\`)` : ""}`,
    `\`${operationId}(${ref ? refName(ref) : ""})\``,
    endpoint["x-states"].join(", "),
    successes(endpoint),
    refusals.map(([status, a]) => status + (a["x-since"] ? "\\*" : "")).join(
      ", ",
    ),
    endpoint["x-errors"].map((code) => `\`${code}\``).join(", "),
    deadlineText(endpoint["x-deadline-ms"]),
  ];
}

function successes({ responses }: Endpoint): string {
  return Object.entries(responses)
    .filter(([status]) => status < "300")
    .map(([status, answer]) => {
      const ref = jsonSchema(answer)?.$ref;
      return ref ? `${status} \`${refName(ref)}\`` : status;
    }).join(", ");
}
