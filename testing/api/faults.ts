/** The faults of one fake VMM, and how they change a response. */
import { type OperationName, operations } from "../../src/generated/api.gen.ts";
import type { HttpReply } from "../http/server.ts";
import type { Clock } from "../machine/clock.ts";
import type { Fault, FaultRule } from "./fault_rule.ts";
import { failure } from "./routes.ts";

/** The rules of one fake VMM, with their counts. */
export class Faults {
  readonly #rules: { rule: FaultRule; after: number; times: number }[] = [];

  constructor(rules: readonly FaultRule[] = []) {
    for (const rule of rules) this.add(rule);
  }

  /** @throws {TypeError} if no operation has that name. */
  add(rule: FaultRule): void {
    const { operation, times = 1, after = 0 } = rule;
    if (operation !== undefined && !Object.hasOwn(operations, operation)) {
      throw new TypeError(
        `no operation is called ${JSON.stringify(operation)}: ` +
          `the names are those of the paths, such as "vm.add-disk"`,
      );
    }
    this.#rules.push({ rule, after, times });
  }

  clear(): void {
    this.#rules.length = 0;
  }

  /** Returns the fault that the request meets, if any, and counts it. */
  take(operation: OperationName): Fault | undefined {
    for (const entry of this.#rules) {
      const { rule } = entry;
      const matches = rule.operation === undefined ||
        rule.operation === operation;
      if (!matches || entry.times <= 0) continue;
      if (entry.after-- > 0) continue;
      entry.times--;
      return rule.fault;
    }
    return undefined;
  }
}

/**
 * Answers a request that meets a fault.
 *
 * @param perform Performs the operation, where the fault lets it happen.
 */
export function applyFault(
  fault: Fault,
  clock: Clock,
  perform: () => HttpReply | Promise<HttpReply>,
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
      .then(perform);
  }
  if (fault.cut === "before") return "cut";
  return Promise.resolve(perform()).then(() => "cut");
}
