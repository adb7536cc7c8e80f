/** What calls came to, and whether the server saw each of them as it should. */
import { ApiError, CloudHypervisorError } from "../../mod.ts";

export class Ledger {
  /** What must not be. */
  readonly violations: string[] = [];
  /** How many calls came to what. */
  readonly outcomes: Map<string, number> = new Map();
  /** For each unique request: how often it was seen, and was answered. */
  readonly #seen: Map<string, number> = new Map();
  readonly #answered: Set<string> = new Set();
  readonly #marked: Set<string> = new Set();
  #requests = 0;
  #count = 0;
  #running = 0;

  get running(): number {
    return this.#running;
  }

  get calls(): number {
    return this.#count;
  }

  /** A name that one call has, and its request if that is marked. */
  next(isMarked: boolean): string {
    const id = `u${++this.#count}`;
    if (isMarked) this.#marked.add(id);
    return id;
  }

  /** A whole request, as the server has it. */
  saw(request: string): void {
    this.#requests++;
    for (const [, id] of request.matchAll(/"id":"(u\d+)"/g)) {
      this.#seen.set(id!, (this.#seen.get(id!) ?? 0) + 1);
    }
  }

  /** Waits for a call, and keeps what it came to. */
  async settle(
    id: string,
    call: Promise<unknown>,
    reason: unknown,
  ): Promise<void> {
    this.#running++;
    let outcome = "ok";
    try {
      await call;
      this.#answered.add(id);
    } catch (error) {
      outcome = this.#outcomeOf(error, reason);
      // A full house is said before there is a request.
      if (error instanceof ApiError && error.code !== "overloaded") {
        this.#answered.add(id);
      }
    }
    this.#running--;
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  /** Compares what was answered with what was seen. */
  audit(): void {
    if (this.#requests > this.#count) {
      this.violations.push(
        `${this.#requests} requests of ${this.#count} calls`,
      );
    }
    for (const [id, times] of this.#seen) {
      if (times > 1) this.violations.push(`${id} was sent ${times} times`);
    }
    for (const id of this.#answered) {
      if (this.#marked.has(id) && !this.#seen.has(id)) {
        this.violations.push(`${id} was answered and never seen`);
      }
    }
    if (this.#running > 0) {
      this.violations.push(`${this.#running} calls never ended`);
    }
  }

  #outcomeOf(error: unknown, reason: unknown): string {
    if (error === reason) return "aborted";
    if (error instanceof CloudHypervisorError) return error.code;
    this.violations.push(`a call rejected with ${error}`);
    return "undocumented";
  }
}
