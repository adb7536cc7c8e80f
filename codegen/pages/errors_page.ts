/** Reads the error codes and their meanings, and writes docs/errors.md. */
import { readFileSync } from "node:fs";
import { codeTable, retryOf } from "../../src/errors/code_table.ts";
import type { ErrorCode } from "../../src/errors/error_code.ts";
import { item, paragraph, table } from "./markdown.ts";
import { endpoints, type Spec } from "../spec.ts";

const ERRORS = new URL("../../src/errors/", import.meta.url);
const SOURCE = new URL("error_code.ts", ERRORS);
const GUEST_SOURCE = new URL("guest_error.ts", ERRORS);

/** The meanings of the codes of one union, in the order of the source. */
export function meanings(union: string): Map<ErrorCode, string> {
  const source = readFileSync(SOURCE, "utf8");
  const start = source.indexOf(`export type ${union} =`);
  const members = source.slice(start, source.indexOf(";\n", start));
  return new Map(
    [...members.matchAll(/\/\*\* (.+) \*\/\s+\| "(\w+)"/g)]
      .map(([, meaning, code]) => [code as ErrorCode, meaning!]),
  );
}

/** The codes of the VMM's refusals that belong to no operation of their own. */
export function generalCodes(spec: Spec): [ErrorCode, string][] {
  const own = new Set(endpoints(spec).flatMap((one) => one["x-errors"]));
  return [...meanings("ApiErrorCode")].filter(([code]) => !own.has(code));
}

/** The page, as `deno fmt` would have it. */
export function errorsPage(spec: Spec): string {
  return [
    "# All error codes",
    "",
    ...paragraph(
      "Made by `deno task docs` from `src/errors/` and the spec; do not edit. Codes are the same on every runtime and release; some codes are newer than others. `retry` says whether to try again:",
    ),
    "",
    ...item(
      "`now`: the VMM did nothing, and the same request may succeed later.",
    ),
    ...item(
      "`look`: the request may have been carried out; ask the VMM first.",
    ),
    ...item("`never`: the request fails again until it or the host changes."),
    "",
    ...paragraph(
      "A refused `vm.boot` is never `now` where the VMM may have built a part of the VM: delete the VM before you boot again.",
    ),
    "",
    ...apiSection(spec),
    ...CLASSES.flatMap(([name, union]) => section(name, meanings(union))),
    ...OTHER_CLASSES.flatMap(([name, codes]) =>
      section(name, pick(meanings("ErrorCode"), codes))
    ),
    "## `VmmGroupError` of `./process`",
    "",
    ...paragraph(
      "A VMM of a group did not start, or did not stop. The error has the code of its `cause`, which is the error of that VMM, or `invalid_request` if the cause has no code.",
    ),
    "",
    ...section("`GuestError` of `./guest`", guestMeanings(), false),
    ...section(
      "`CommandLineError` of `./command-line`",
      pick(meanings("ErrorCode"), ["invalid_command_line"]),
    ),
  ].join("\n");
}

const CLASSES: readonly [title: string, union: string][] = [
  ["`ConnectionError`: the call got no response", "ConnectionErrorCode"],
  ["`InvalidRequestError`: the call was not sent", "InvalidRequestErrorCode"],
];

const OTHER_CLASSES: readonly [title: string, codes: readonly ErrorCode[]][] = [
  [
    "`DeadlineError`, `VmmExitedError`, `RollbackError` and `MigrationError`",
    ["deadline", "vmm_exited", "rollback_failed", "migration_failed"],
  ],
];

/** The codes of the VMM, with the releases that have them. */
function apiSection(spec: Spec): string[] {
  const [heading, ...lines] = section(
    "`ApiError`: the VMM refused the call",
    meanings("ApiErrorCode"),
  );
  const newer = [...meanings("ApiErrorCode").keys()]
    .flatMap((code) => newerOf(code, spec));
  return [
    heading!,
    ...lines,
    ...paragraph(
      "All releases from v48.0 on have these codes, except for these calls:",
    ),
    "",
    ...newer.flatMap(item),
    "",
  ];
}

/** The calls that have a code in newer releases only, as sentences. */
function newerOf(code: ErrorCode, spec: Spec): string[] {
  const general = spec.info["x-since-errors"]?.[code];
  const calls = endpoints(spec).flatMap((endpoint) => {
    const since = endpoint["x-since-errors"]?.[code];
    return since === undefined ? [] : [`\`${endpoint.name}\` since ${since}`];
  });
  const all = general === undefined ? calls : [`all calls since ${general}`];
  return all.length === 0 ? [] : [`\`${code}\`: ${all.join(", ")}`];
}

/** A heading and the table of its codes. */
function section(
  name: string,
  codes: ReadonlyMap<ErrorCode, string>,
  // The advice of a code that classes share concerns the API socket.
  withAdvice = true,
): string[] {
  const heads = ["`code`", "Meaning", "`retry`"];
  return [
    `## ${name}`,
    "",
    ...table([
      withAdvice ? [...heads, "Advice"] : heads,
      ...[...codes].map(([code, meaning]) => [
        `\`${code}\``,
        meaning,
        `\`${retryOf(code)}\``,
        ...withAdvice ? [codeTable[code].advice ?? ""] : [],
      ]),
    ]),
    "",
  ];
}

function pick(
  all: ReadonlyMap<ErrorCode, string>,
  codes: readonly ErrorCode[],
): Map<ErrorCode, string> {
  return new Map(codes.map((code) => [code, all.get(code)!]));
}

/** The meanings in the docstring of `GuestError`. */
function guestMeanings(): Map<ErrorCode, string> {
  const source = readFileSync(GUEST_SOURCE, "utf8")
    .replaceAll(/\n \* {3}/g, " ");
  return new Map(
    [...source.matchAll(/^ \* - `(\w+)`: (\w)(.+)$/gm)].map(
      ([, code, first, rest]) => [
        code as ErrorCode,
        `${first!.toUpperCase()}${rest}`,
      ],
    ),
  );
}
