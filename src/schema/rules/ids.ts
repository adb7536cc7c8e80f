/** Ids of devices and memory zones: all share one namespace. */
import { joinPath, type Violation, violation } from "./rule.ts";

export class Ids {
  readonly #used = new Set<string>();

  /** Adds the id of the item at this path, and yields what is wrong with it. */
  *add(id: string | undefined, path: string): Generator<Violation> {
    if (id === undefined) return;
    const field = joinPath(path, "id");
    if (id.startsWith("__")) {
      yield violation(field, `Identifier ${id} is not valid`, {
        advice: 'an id must not begin with "__"',
      });
    }
    if (this.#used.has(id)) {
      const kind = "conflict";
      yield violation(field, `Identifier ${id} is not unique`, { kind });
    }
    this.#used.add(id);
  }
}
