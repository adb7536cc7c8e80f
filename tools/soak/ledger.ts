/** The outcomes of calls, compared with the requests that the server saw. */
import { ApiError, CloudHypervisorError } from "../../mod.ts";

/** The number of unique requests that are remembered. */
const MOST = 100_000;

export class Ledger {
  /** The problems. */
  readonly violations: string[] = [];
  /** The number of calls by outcome. */
  readonly outcomes: Map<string, number> = new Map();
  /** The number of times that each recent unique request was seen. */
  readonly #seen: Map<string, number> = new Map();
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
    if (!isMarked) return id;
    this.#seen.set(id, 0);
    // Oldest first; what grows for ever would look like a leak.
    if (this.#seen.size > MOST) {
      this.#seen.delete(this.#seen.keys().next().value!);
    }
    return id;
  }

  /** A whole request, as the server has it. */
  saw(request: string): void {
    this.#requests++;
    for (const [, id] of request.matchAll(/"id":"(u\d+)"/g)) {
      const times = this.#seen.get(id!);
      if (times === undefined) continue;
      this.#seen.set(id!, times + 1);
      if (times > 0) this.violations.push(`${id} was sent more than once`);
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
      this.#answered(id);
    } catch (error) {
      outcome = this.#outcomeOf(error, reason);
      // A full house is said before there is a request.
      if (error instanceof ApiError && error.code !== "overloaded") {
        this.#answered(id);
      }
    }
    this.#running--;
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  /** Adds the problems that show only at the end. */
  audit(): void {
    if (this.#requests > this.#count) {
      this.violations.push(
        `${this.#requests} requests of ${this.#count} calls`,
      );
    }
    if (this.#running > 0) {
      this.violations.push(`${this.#running} calls never ended`);
    }
  }

  #answered(id: string): void {
    if (this.#seen.get(id) !== 0) return;
    this.violations.push(`${id} was answered and never seen`);
  }

  #outcomeOf(error: unknown, reason: unknown): string {
    if (error === reason) return "aborted";
    if (error instanceof CloudHypervisorError) return error.code;
    this.violations.push(`a call rejected with ${error}`);
    return "undocumented";
  }
}
