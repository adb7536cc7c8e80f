/** Reads the error codes and their meanings, and writes docs/errors.md. */
import { readFileSync } from "node:fs";
import { codeTable, retryOf } from "../../src/errors/code_table.ts";
import type { ErrorCode } from "../../src/errors/error_code.ts";
import { item, paragraph, table } from "./markdown.ts";
import { endpoints, type Spec } from "../spec.ts";

const SOURCE = new URL("../../src/errors/error_code.ts", import.meta.url);

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
export function errorsPage(): string {
  return [
    "# All error codes",
    "",
    ...paragraph(
      "Made by `deno task docs` from `src/errors/`; do not edit. Codes are the same on every runtime and release. `retry` says whether to try again:",
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
    ...CLASSES.flatMap(([name, union]) => [
      `## ${name}`,
      "",
      ...table([
        ["`code`", "Meaning", "`retry`", "Advice"],
        ...[...meanings(union)].map(([code, meaning]) => [
          `\`${code}\``,
          meaning,
          `\`${retryOf(code)}\``,
          codeTable[code].advice ?? "",
        ]),
      ]),
      "",
    ]),
  ].join("\n");
}

const CLASSES: readonly [title: string, union: string][] = [
  ["`ApiError`: the VMM refused the call", "ApiErrorCode"],
  ["`ConnectionError`: the call got no response", "ConnectionErrorCode"],
  ["`InvalidRequestError`: the call was not sent", "InvalidRequestErrorCode"],
  ["`DeadlineError`, `VmmExitedError`, and errors of workflows", "ErrorCode"],
];
