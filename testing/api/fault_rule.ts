/** Failures that a test asks for. */
import type { OperationName } from "../../src/generated/api.gen.ts";

/** A fault, and the requests that it meets. */
export interface FaultRule {
  /** The operation, by the name in its path. Default: every operation. */
  readonly operation?: OperationName;
  /** The number of requests that the fault meets. Default: `1`. */
  readonly times?: number;
  /** The number of requests that pass before. Default: `0`. */
  readonly after?: number;
  /** The fault of these requests. */
  readonly fault: Fault;
}

/**
 * A fault of a request.
 *
 * - `status`: the response has this status and chain; nothing is done
 * - `delayMs`: the response is late; until then no other request is answered
 * - `hang`: neither this request nor a later one is ever answered
 * - `cut`: the connection closes, before or after the operation is done
 * - `crash`: the VMM dies, and its socket file stays
 */
export type Fault =
  | {
    /** The HTTP status, such as 500. */
    readonly status: number;
    /** The messages, outermost first. */
    readonly chain: readonly string[];
  }
  | {
    /** The delay in milliseconds of the fake's clock. */
    readonly delayMs: number;
  }
  | "hang"
  | {
    /** The end of the connection: before or after the operation is done. */
    readonly cut: "before" | "after";
  }
  | "crash";
