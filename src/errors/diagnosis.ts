/**
 * Reads an error code from the VMM's messages. Releases answer the same refusal
 * with different statuses (v53.0 has 500 where later releases have 400, 404 or
 * 409), so the messages decide, and the status only where there are none.
 */
import type { OperationName } from "../generated/api.gen.ts";
import { codeTable, retryOf } from "./code_table.ts";
import type { ApiErrorCode, Retry } from "./error_code.ts";

export interface Diagnosis {
  readonly code: ApiErrorCode;
  readonly retry: Retry;
  /** A thing that the caller can do. */
  readonly advice: string | undefined;
}

export function diagnose(
  status: number,
  messages: readonly string[],
  operation?: OperationName,
): Diagnosis {
  signs ??= readTable();
  const { code, advice = codeTable[code].advice } = find(
    signs,
    status,
    messages,
  );
  if (operation !== "vm.boot" || !HALF_BUILT.has(code)) {
    return { code, retry: retryOf(code), advice };
  }
  const remedy = "delete the VM before you boot again";
  return {
    code,
    retry: "never",
    advice: advice === undefined ? remedy : `${advice}, and ${remedy}`,
  };
}

/** A code, and an advice of its own where a message has one. */
interface Finding {
  readonly code: ApiErrorCode;
  readonly advice?: string | undefined;
}

interface Signs {
  readonly statuses: Map<number, Finding>;
  readonly errnos: Map<number, Finding>;
  /** Messages without a placeholder. */
  readonly exact: Map<string, Finding>;
  readonly templates: [RegExp, Finding][];
}

/** Made of the table at the first refusal. */
let signs: Signs | undefined;

/** The innermost message that is known decides. */
function find(
  { statuses, errnos, exact, templates }: Signs,
  status: number,
  messages: readonly string[],
): Finding {
  const byStatus = statuses.get(status);
  if (byStatus) return byStatus;
  if (messages.length === 0 && status === 400) return { code: "invalid_json" };
  for (const message of messages.toReversed()) {
    const errno = Number(OS_ERROR.exec(message)?.[1]);
    const finding = errnos.get(errno) ?? exact.get(message) ??
      templates.find(([template]) => template.test(message))?.[1];
    if (finding) return finding;
  }
  return { code: "other" };
}

function readTable(): Signs {
  const read: Signs = {
    statuses: new Map(),
    errnos: new Map(),
    exact: new Map(),
    templates: [],
  };
  for (const [name, entry] of Object.entries(codeTable)) {
    const { status, errnos = [], messages = [] } = entry;
    const code = name as ApiErrorCode;
    if (status !== undefined) read.statuses.set(status, { code });
    for (const errno of errnos) read.errnos.set(errno, { code });
    for (const item of messages) {
      const [text, advice] = typeof item === "string" ? [item] : item;
      if (!text.includes("{}")) read.exact.set(text, { code, advice });
      else read.templates.push([toRegExp(text), { code, advice }]);
    }
  }
  return read;
}

/** The whole of a message of the operating system; no message has a user's text in this form. */
const OS_ERROR = /^[A-Z][A-Za-z -]+ \(os error (\d+)\)$/;

/** A template as an expression for the whole of a message. */
function toRegExp(template: string): RegExp {
  const parts = template.split("{}")
    .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^]*")}$`);
}

/** The codes with which a boot may have built a part of the VM. */
const HALF_BUILT: ReadonlySet<ApiErrorCode> = new Set([
  "duplicate_id",
  "invalid_config",
  "missing_file",
  "in_use",
  "no_permission",
  "no_memory",
  "bad_file",
  "other",
]);
