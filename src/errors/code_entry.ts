/** A row of the table of error codes. */
import type { Retry } from "./error_code.ts";

export interface CodeEntry {
  /** Default: `never`. */
  readonly retry?: Retry;
  /** The end of the error's message: a thing that the caller can do. */
  readonly advice?: string;
  /** The reason within the message, where the VMM gives none. */
  readonly problem?: string;
  /** Numbers of the operating system's errors, as in "(os error 2)". */
  readonly errnos?: readonly number[];
  /** The HTTP status that decides alone. */
  readonly status?: number;
  /**
   * Messages of the VMM, matched from their beginning; `{}` stands for the
   * rest. Text that a user chose never stands first, so it decides nothing.
   * A pair has its own advice.
   */
  readonly messages?:
    readonly (string | readonly [message: string, advice: string])[];
}
