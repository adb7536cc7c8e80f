/** Copies a request as JSON would carry it, so that it can be changed. */
import { pathOf, type Step } from "../json/path.ts";
import type { Problem } from "./problem.ts";

/** As deep as serde_json reads. */
const DEEPEST = 127;

/** A copy without what is not sent; what it cannot hold is a problem. */
export function copy(value: unknown, problems: Problem[]): unknown {
  const steps: Step[] = [];
  const above: unknown[] = [];
  const walk = (given: unknown): unknown => {
    const item = toJson(given, steps.at(-1));
    if (typeof item === "string" && !item.isWellFormed()) {
      const message = "holds half of a surrogate pair";
      problems.push({ path: pathOf(steps), code: "wrong_type", message });
    }
    if (typeof item !== "object" || item === null) return item;
    const endless = above.includes(item);
    if (endless || above.length >= DEEPEST) {
      const message = endless ? "holds itself" : `over ${DEEPEST} levels deep`;
      problems.push({ path: pathOf(steps), code: "too_deep", message });
      return null;
    }
    const within = (step: Step, inner: unknown) => {
      steps.push(step);
      above.push(item);
      const made = walk(inner);
      above.pop();
      steps.pop();
      return made;
    };
    if (Array.isArray(item)) {
      return item.map((inner, index) => within(index, inner) ?? null);
    }
    const made: Record<string, unknown> = Object.create(null);
    for (const [key, inner] of Object.entries(item)) {
      const sent = within(key, inner);
      if (sent !== undefined) made[key] = sent;
    }
    return made;
  };
  return walk(value);
}

function toJson(value: unknown, step: Step | undefined): unknown {
  const { toJSON } = Object(value) as { toJSON?: unknown };
  if (typeof value === "object" && typeof toJSON === "function") {
    return toJSON.call(value, String(step ?? ""));
  }
  return typeof value === "function" || typeof value === "symbol"
    ? undefined
    : value;
}
