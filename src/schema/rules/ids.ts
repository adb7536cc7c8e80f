/** The ids of a configuration: all share one space. */
import type { RuleContext } from "./context.ts";
import { below, type Violation, violation } from "./rule.ts";

export class Ids {
  readonly #taken = new Set<string>();
  readonly #around: RuleContext;

  constructor(around: RuleContext) {
    this.#around = around;
  }

  /** Takes the id of the item at this path. */
  *take(id: string | undefined, path: string): Generator<Violation> {
    if (id === undefined) return;
    const at = below(path, "id");
    if (id.startsWith("__")) {
      yield violation(
        at,
        `Identifier ${id} ${this.#around.facts.badIdentifier}`,
      );
    }
    if (this.#taken.has(id)) {
      yield violation(at, `Identifier ${id} is not unique`, "conflict");
    }
    this.#taken.add(id);
  }
}
