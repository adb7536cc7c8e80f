/** What a rule is: when it is broken, and what is said then. */
import type { RuleContext } from "./context.ts";

/** A rule about an item, and the field of it that the rule is about. */
export type Rule<Item> = readonly [
  broken: (item: Item, around: RuleContext) => boolean,
  message: (item: Item, around: RuleContext) => string,
  field?: string | undefined,
  kind?: Violation["kind"],
];

/** A rule that is broken. */
export interface Violation {
  /** The value that it is about, as `disks[0].path`. */
  readonly path: string;
  readonly message: string;
  /** `panic` is a bug of the VMM that such a configuration meets. */
  readonly kind: "invalid" | "conflict" | "panic";
  /** What stands before the message in the VMM's answer. */
  readonly above: readonly string[];
}

/** The rules that an item breaks, in the VMM's order. */
export function* violationsOf<Item>(
  item: Item,
  rules: readonly Rule<Item>[],
  path: string,
  around: RuleContext,
): Generator<Violation> {
  for (const [broken, message, field, kind] of rules) {
    if (!broken(item, around)) continue;
    yield violation(below(path, field), message(item, around), kind);
  }
}

/** A broken rule. */
export function violation(
  path: string,
  message: string,
  kind: Violation["kind"] = "invalid",
  above: readonly string[] = [],
): Violation {
  return { path, message, kind, above };
}

/** The path of a field. */
export function below(path: string, field: string | undefined): string {
  if (path === "" || field === undefined) return path + (field ?? "");
  return `${path}.${field}`;
}

/** Whether a size is a power of two. */
export function isPowerOfTwo(size: number | bigint): boolean {
  const exact = BigInt(size);
  return exact > 0n && (exact & (exact - 1n)) === 0n;
}
