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
  const releases = spec.info["x-releases"].map(({ name }) => name);
  return [
    "# All operations",
    "",
    ...paragraph(
      `Made by \`deno task docs\` from \`spec/cloud-hypervisor.yaml\`; do not edit. Releases: ${
        releases[0]
      } to ${releases.at(-1)}. The table is wide; it has these columns.`,
    ),
    "",
    ...[
      "**Wire**: the HTTP method and the path, below `/api/v1`.",
      "**Call**: the method of the client, with the type of its body.",
      "**States**: the states of the VM in which the operation works. `None`: the VMM has no VM. `Migrating`: the VM is being sent to another VMM.",
      "**Success**: the statuses of success, with the types of their bodies.",
      "**Refusal**: the statuses of refusal, with the first release that has them, or `<` and the first release that has them no more. Decide by the code: releases differ in the statuses of the same refusal.",
      "**Codes**: the codes of `ApiError` that the operation adds to those below, with the first release that has them, if not all have them.",
      "**Deadline**: the default of `timeoutMs`.",
    ].flatMap(item),
    "",
    ...table([HEAD, ...rows]),
    "",
    "Any call can also end with one of these codes:",
    "",
    ...general.flatMap(([code, meaning]) => {
      const since = spec.info["x-since-errors"]?.[code];
      const when = since === undefined ? "" : ` (since ${since})`;
      return item(`\`${code}\`${when}: ${meaning}`);
    }),
    "",
    ...paragraph(
      "and with the errors that are not the VMM's: `ConnectionError`, `DeadlineError`, `InvalidRequestError` and the signal's own reason. [All codes](errors.md) has the advice for each.",
    ),
    "",
  ].join("\n");
}

interface Releases {
  readonly "x-since"?: string | undefined;
  readonly "x-until"?: string | undefined;
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
  const needs = [
    ...endpoint["x-since"] ? [`since ${endpoint["x-since"]}`] : [],
    ...endpoint["x-feature"]
      ? [`builds with \`${endpoint["x-feature"]}\``]
      : [],
  ];
  const refusals = Object.entries(responses).filter(([status]) =>
    status >= "300"
  );
  return [
    `\`${method} /${name}\`${needs.length > 0 ? ` (${needs.join(", ")})` : ""}`,
    `\`${operationId}(${ref ? refName(ref) : ""})\``,
    endpoint["x-states"].join(", "),
    successes(endpoint),
    refusals.map(([status, answer]) => status + releasesOf(answer)).join(", "),
    endpoint["x-errors"].map((code) => {
      const since = endpoint["x-since-errors"]?.[code];
      return `\`${code}\`${releasesOf({ "x-since": since })}`;
    }).join(", "),
    deadlineText(endpoint["x-deadline-ms"]),
  ];
}

/** The releases that have a status, as ` (v54.0)`. */
function releasesOf(
  { "x-since": since, "x-until": until }: Releases,
): string {
  if (since !== undefined) return ` (${since})`;
  return until === undefined ? "" : ` (<${until})`;
}

function successes({ responses }: Endpoint): string {
  return Object.entries(responses)
    .filter(([status]) => status < "300")
    .map(([status, answer]) => {
      const ref = jsonSchema(answer)?.$ref;
      return ref ? `${status} \`${refName(ref)}\`` : status;
    }).join(", ");
}
