/** Copies a request as JSON carries it. */
import { pathOf, type Step } from "../json/path.ts";
import type { Problem } from "./problem.ts";

/** The deepest nesting that serde_json reads. */
const MAX_DEPTH = 127;

/**
 * A copy with the members that JSON carries. Bigints stay bigints. Values that
 * JSON cannot carry go to `problems`.
 */
export function toJsonValue(value: unknown, problems: Problem[]): unknown {
  const steps: Step[] = [];
  const ancestors: unknown[] = [];
  const report = (code: Problem["code"], message: string) =>
    problems.push({ path: pathOf(steps), code, message });
  const walk = (original: unknown): unknown => {
    try {
      return walkItem(carried(original, steps.at(-1)));
    } catch (error) {
      // From a getter or a toJSON() of the caller.
      const cause = error instanceof Error ? `: ${error.message}` : "";
      report("wrong_type", `cannot be converted to JSON${cause}`);
      return null;
    }
  };
  const walkItem = (item: unknown): unknown => {
    if (typeof item === "string" && !item.isWellFormed()) {
      report("wrong_type", "contains a lone surrogate");
    }
    if (typeof item !== "object" || item === null) return item;
    if (ancestors.includes(item)) {
      report("too_deep", "contains a circular reference");
      return null;
    }
    if (ancestors.length >= MAX_DEPTH) {
      report("too_deep", `is nested more than ${MAX_DEPTH} levels deep`);
      return null;
    }
    const walkMember = (step: Step, member: unknown) => {
      steps.push(step);
      ancestors.push(item);
      const copied = walk(member);
      ancestors.pop();
      steps.pop();
      return copied;
    };
    if (Array.isArray(item)) {
      return item.map((member, index) => walkMember(index, member) ?? null);
    }
    const copy: Record<string, unknown> = Object.create(null);
    for (const [key, member] of Object.entries(item)) {
      const copied = walkMember(key, member);
      if (copied !== undefined) copy[key] = copied;
    }
    return copy;
  };
  return walk(value);
}

/** The value that `JSON.stringify` writes in place of this one. */
function carried(value: unknown, step: Step | undefined): unknown {
  if (typeof value === "object" && value !== null) {
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === "function") {
      return toJSON.call(value, String(step ?? ""));
    }
  }
  return typeof value === "function" || typeof value === "symbol"
    ? undefined
    : value;
}
