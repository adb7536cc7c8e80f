/** The operations as one Markdown table: docs/operations.md. */
import { deadlineText } from "./docs.ts";
import {
  type Endpoint,
  endpoints,
  jsonSchema,
  refName,
  type Spec,
} from "./spec.ts";

/** The page, as `deno fmt` would have it. */
export function operationsPage(spec: Spec): string {
  const rows = endpoints(spec).map(cells);
  const { oldest, newest } = spec.info["x-releases"];
  const newer = [...marks(spec)].map((since) => `\\* is since ${since}`);
  return [
    "# All operations",
    "",
    "Made by `deno task docs` from `spec/cloud-hypervisor.yaml`; do not edit.",
    `Releases: ${oldest} and ${newest}. The table is wide; it has these columns.`,
    "",
    "- **Wire**: what is sent to the socket, below `/api/v1`.",
    "- **Call**: the method of the client, with the type of its body.",
    "- **States**: where the VM may stand. `None`: without a configuration.",
    "  `Migrating`: being sent elsewhere.",
    "- **Good**: statuses of success, and what comes with them.",
    `- **Bad**: statuses of refusal; ${newer}. Decide by the code: releases`,
    "  differ in the statuses of the same refusal.",
    "- **Codes**: `code` of the `ApiError`, where it is the operation's own.",
    "- **Deadline**: what `timeoutMs` is when nothing sets it.",
    "",
    ...table([HEAD, ...rows]),
    "",
    "Any call can also end with one of these codes:",
    "",
    "- `other`: a failure that has no code of its own; see `messages`",
    "- `migrating`: the VM is on its way to another VMM",
    "- `overloaded`: all of the VMM's connections are taken",
    "- `too_large`: of a body",
    "- `vmm_gone`: the VMM is dying",
    "",
    "and with the errors that are not the VMM's: `ConnectionError`, `DeadlineError`,",
    "`InvalidRequestError` and the signal's own reason.",
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

const HEAD = ["Wire", "Call", "States", "Good", "Bad", "Codes", "Deadline"];

function cells(endpoint: Endpoint): string[] {
  const { method, name, operationId, responses } = endpoint;
  const ref = jsonSchema(endpoint.requestBody)?.$ref;
  const builds = endpoint["x-feature"];
  const bad = Object.entries(responses).filter(([status]) => status >= "300");
  return [
    `\`${method} /${name}\`${builds ? ` (builds with \`${builds}\`)` : ""}`,
    `\`${operationId}(${ref ? refName(ref) : ""})\``,
    endpoint["x-states"].join(", "),
    good(endpoint),
    bad.map(([status, a]) => status + (a["x-since"] ? "\\*" : "")).join(", "),
    endpoint["x-errors"].map((code) => `\`${code}\``).join(", "),
    deadlineText(endpoint["x-deadline-ms"]),
  ];
}

function good({ responses }: Endpoint): string {
  return Object.entries(responses)
    .filter(([status]) => status < "300")
    .map(([status, answer]) => {
      const ref = jsonSchema(answer)?.$ref;
      return ref ? `${status} \`${refName(ref)}\`` : status;
    }).join(", ");
}

function table(rows: string[][]): string[] {
  const widths = HEAD.map((_, column) =>
    Math.max(...rows.map((row) => row[column]!.length))
  );
  const line = (row: string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  const rule = line(widths.map((width) => "-".repeat(width)));
  return [line(rows[0]!), rule, ...rows.slice(1).map(line)];
}
