/** The ids of a configuration: all share one space. */
import type { Around } from "./around.ts";
import { below, type Broken, rule } from "./rule.ts";

export class Ids {
  readonly #taken = new Set<string>();
  readonly #around: Around;

  constructor(around: Around) {
    this.#around = around;
  }

  /** Takes the id of the item at this path. */
  *take(id: string | undefined, path: string): Generator<Broken> {
    if (id === undefined) return;
    const at = below(path, "id");
    if (id.startsWith("__")) {
      yield rule(at, `Identifier ${id} ${this.#around.facts.badIdentifier}`);
    }
    if (this.#taken.has(id)) {
      yield rule(at, `Identifier ${id} is not unique`, "conflict");
    }
    this.#taken.add(id);
  }
}
