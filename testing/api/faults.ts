/** Failures on demand: by operation, and for as many calls as wanted. */
import { type OperationName, operations } from "../../src/generated/api.gen.ts";
import type { Clock } from "../machine/clock.ts";
import { failure } from "./routes.ts";
import type { HttpReply } from "../http/server.ts";

/** What goes wrong, and when. */
export interface FaultRule {
  /** The operation as the path names it; all of them when left out. */
  readonly operation?: OperationName;
  /** How many calls it meets; `Infinity` for all. Default: `1`. */
  readonly times?: number;
  /** How many calls it lets pass before. Default: `0`. */
  readonly after?: number;
  /** What happens to them. */
  readonly fault: Fault;
}

/**
 * What happens to a call.
 *
 * - `status`: the answer is this status with this chain; nothing is done
 * - `delayMs`: the answer comes later; meanwhile nothing else is answered
 * - `hang`: the answer never comes, nor any other
 * - `cut`: the connection is closed; before or after the work is done
 * - `crash`: the VMM dies, and its socket file stays
 */
export type Fault =
  | {
    /** The HTTP status, as 500. */
    readonly status: number;
    /** The messages, outermost first. */
    readonly chain: readonly string[];
  }
  | {
    /** How much later, in milliseconds of the fake's clock. */
    readonly delayMs: number;
  }
  | "hang"
  | {
    /** Whether the work is done by then. */
    readonly cut: "before" | "after";
  }
  | "crash";

/** The rules of one fake. */
export class Faults {
  readonly #rules: { rule: FaultRule; after: number; times: number }[] = [];

  constructor(rules: readonly FaultRule[] = []) {
    for (const rule of rules) this.add(rule);
  }

  /** @throws {TypeError} at an operation that there is not. */
  add(rule: FaultRule): void {
    const { operation, times = 1, after = 0 } = rule;
    if (operation !== undefined && !Object.hasOwn(operations, operation)) {
      throw new TypeError(
        `no operation is called ${JSON.stringify(operation)}: ` +
          `the names are those of the paths, as in "vm.add-disk"`,
      );
    }
    this.#rules.push({ rule, after, times });
  }

  clear(): void {
    this.#rules.length = 0;
  }

  /** The fault that this call meets, if any; it is counted. */
  take(operation: OperationName): Fault | undefined {
    for (const entry of this.#rules) {
      const { rule } = entry;
      const meant = rule.operation === undefined ||
        rule.operation === operation;
      if (!meant || entry.times <= 0) continue;
      if (entry.after-- > 0) continue;
      entry.times--;
      return rule.fault;
    }
    return undefined;
  }
}

/** Carries out a call that a fault meets. */
export function applyFault(
  fault: Fault,
  clock: Clock,
  work: () => HttpReply | Promise<HttpReply>,
  crash: () => void,
): HttpReply | Promise<HttpReply> {
  if (fault === "hang") return new Promise(() => {});
  if (fault === "crash") {
    crash();
    return "cut";
  }
  if ("status" in fault) return failure(fault.status, fault.chain);
  if ("delayMs" in fault) {
    return new Promise<void>((resolve) => clock.after(fault.delayMs, resolve))
      .then(work);
  }
  if (fault.cut === "before") return "cut";
  return Promise.resolve(work()).then(() => "cut");
}
