/**
 * Reads an error code from the VMM's messages. Releases answer the same refusal
 * with different statuses (v53.0 has 500 where later releases have 400, 404 or
 * 409), so the messages decide, and the status only where there are none.
 */
import type { OperationName } from "../generated/api.gen.ts";
import type { CodeEntry } from "./code_entry.ts";
import { codeTable, retryOf } from "./code_table.ts";
import type { ApiErrorCode, Retry } from "./error_code.ts";
import { needsOf } from "./needs.ts";

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
  const { code, advice = codeTable[code].advice } = unknownPath(
    messages,
    operation,
  ) ?? find(status, messages);
  if (operation !== "vm.boot" || !HALF_BUILT.test(code)) {
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

/** An operation that the VMM does not know. */
function unknownPath(
  messages: readonly string[],
  operation: OperationName | undefined,
): Finding | undefined {
  if (operation === undefined || messages.join() !== "Not Found") return;
  const advice = needsOf(operation);
  return advice === undefined ? undefined : { code: "unsupported", advice };
}

/** The status decides, or else the innermost message that is known. */
function find(status: number, messages: readonly string[]): Finding {
  const entries = Object.entries(codeTable) as [ApiErrorCode, CodeEntry][];
  for (const [code, entry] of entries) {
    if (entry.status === status) return { code };
  }
  if (messages.length === 0 && status === 400) return { code: "invalid_json" };
  // The cause names the connection of a migration as it names a file.
  if (messages.at(-2) === "Socket error") return { code: "other" };
  for (const message of messages.toReversed()) {
    const errno = Number(OS_ERROR.exec(message)?.[1]);
    for (const [code, { errnos, messages = [] }] of entries) {
      if (errnos?.includes(errno)) return { code };
      for (const item of messages) {
        const [text, advice] = typeof item === "string" ? [item] : item;
        if (toRegExp(text).test(message)) return { code, advice };
      }
    }
  }
  return { code: "other" };
}

/**
 * The whole of a message of the operating system; before v53.0, a migration
 * names its socket first. No message of the VMM has a user's text in this form.
 */
const OS_ERROR =
  /^(?:Error \w+ to \w+ socket: )?[A-Z][A-Za-z -]+ \(os error (\d+)\)$/;

/** A template as an expression for the whole of a message. */
function toRegExp(template: string): RegExp {
  const text = template.replaceAll(/[\\^$.*+?()[\]|]/g, "\\$&");
  return new RegExp(`^${text.replaceAll("{}", "[^]*")}$`);
}

/** The codes with which a boot may have built a part of the VM. */
const HALF_BUILT =
  /^(duplicate_id|invalid_config|missing_file|in_use|no_permission|no_memory|bad_file|other)$/;
