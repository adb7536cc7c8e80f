/** A rule of the VMM about values that are valid together. */
import type { RuleContext } from "./context.ts";

/** A rule about an item. */
export interface Rule<Item> extends Releases {
  /** True if the item breaks the rule. */
  readonly when: (item: Item, context: RuleContext) => boolean;
  /** The VMM's own message, so that a search finds it. */
  readonly message: string | ((item: Item, context: RuleContext) => string);
  /** The field of the item that is wrong; none if it is the whole item. */
  readonly field?: string;
  readonly kind?: Violation["kind"];
  /** The key or value to write instead. */
  readonly advice?: string;
}

/** The releases of the VMM that have a rule; by default all. */
export interface Releases {
  /** The first release that has the rule. */
  readonly since?: string | undefined;
  /** The first release that has the rule no more. */
  readonly until?: string | undefined;
}

/** A broken rule. */
export interface Violation extends Releases {
  /** The path of the value, such as `disks[0].path`. */
  readonly path: string;
  /** The VMM's own message. */
  readonly message: string;
  /** `fatal`: the VMM stops or hangs, which is a bug of the VMM. */
  readonly kind: "invalid" | "conflict" | "fatal";
  /** The messages before `message` in the VMM's error chain. */
  readonly context: readonly string[];
  readonly advice?: string | undefined;
}

/** The rules that an item breaks, in the VMM's order. */
export function* violationsOf<Item>(
  item: Item,
  rules: readonly Rule<Item>[],
  path: string,
  context: RuleContext,
): Generator<Violation> {
  for (const { when, message, field, ...rest } of rules) {
    if (!when(item, context)) continue;
    const text = typeof message === "string" ? message : message(item, context);
    yield violation(joinPath(path, field), text, rest);
  }
}

/** A broken rule. */
export function violation(
  path: string,
  message: string,
  rest: Partial<Omit<Violation, "path" | "message">> = {},
): Violation {
  return { path, message, kind: "invalid", context: [], ...rest };
}

/** The path of a field. */
export function joinPath(path: string, field: string | undefined): string {
  if (path === "" || field === undefined) return path + (field ?? "");
  return `${path}.${field}`;
}

/** True for 1, 2, 4 and so on. */
export function isPowerOfTwo(size: number | bigint): boolean {
  const exact = BigInt(size);
  return exact > 0n && (exact & (exact - 1n)) === 0n;
}
