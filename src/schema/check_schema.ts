/** Checks a value against the JSON Schema of a request. */
import type { JsonSchema } from "../generated_support/json_schema.ts";
import type { VmmRelease } from "../generated_support/release.ts";
import { pathOf, type Step } from "../json/path.ts";
import { sameMeaning } from "./hints.ts";
import { isRemoved, movedTo } from "./moved_keys.ts";
import { nearest } from "./nearest.ts";
import type { Problem, ProblemCode } from "./problem.ts";
import {
  acceptsNull,
  aliasesOf,
  hasValue,
  lackOf,
  requiredBy,
  valueSince,
} from "./releases.ts";
import { resolve, type Resolved, resolveName } from "./resolve.ts";
import { kindOf, kindsOf, show } from "./show.ts";

/** The first problem of each path, in the order of the value. */
export function checkSchema(
  name: string,
  value: unknown,
  release?: VmmRelease,
): Problem[] {
  const check = new Check(release);
  check.value(value, resolveName(name));
  return [...check.problems.values()];
}

class Check {
  readonly problems = new Map<string, Problem>();
  readonly #steps: Step[] = [];
  readonly #release: VmmRelease | undefined;

  constructor(release: VmmRelease | undefined) {
    this.#release = release;
  }

  value(value: unknown, { schema, name, nullable }: Resolved): void {
    if (value === null && nullable) return;
    const types = [schema.type].flat()
      .filter((type) => nullable || type !== "null");
    if (types.includes("integer")) this.#integer(value, schema);
    else if (!types.includes(typeOf(value))) {
      const expected = kindsOf(types, nullable);
      const message = `must be ${expected}, not ${kindOf(value)}`;
      this.#report("wrong_type", message, {
        write: sameMeaning(value, schema, name),
      });
    } else if (typeof value === "string") this.#string(value, schema, name);
    else if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) {
        this.#member(index, item, resolve(schema.items!));
      }
    } else if (typeof value === "object") {
      this.#object(value as Record<string, unknown>, schema, name);
    }
  }

  #member(step: Step, value: unknown, schema: Resolved): void {
    this.#steps.push(step);
    this.value(value, schema);
    this.#steps.pop();
  }

  #integer(value: unknown, schema: JsonSchema): void {
    const { minimum, maximum } = schema;
    if (typeof value !== "bigint" && !Number.isSafeInteger(value)) {
      this.#report("wrong_type", notExact(value), {
        write: sameMeaning(value, schema, undefined),
      });
      return;
    }
    const number = value as number | bigint;
    const most = Number.isSafeInteger(maximum)
      ? maximum!
      : BigInt(maximum!) - 1n;
    if (number >= minimum! && number <= most) return;
    const message = `must be ${minimum} to ${most}, not ${number}`;
    this.#report("out_of_range", message);
  }

  #string(value: string, schema: JsonSchema, name: string | undefined): void {
    const { enum: all, minLength = 0, maxLength = Infinity } = schema;
    const listed = all?.filter((one) => hasValue(name, one, this.#release));
    if (value.length < minLength) {
      const message = `must have at least ${minLength} characters`;
      this.#report("out_of_range", message);
    } else if (longerThan(value, maxLength)) {
      const message = `must have at most ${maxLength} characters`;
      this.#report("out_of_range", message);
    } else if (listed !== undefined && !listed.includes(value)) {
      const since = all!.includes(value) ? valueSince(name, value) : undefined;
      const known = listed.map(show).join(", ");
      const message = `must be one of ${known}, not ${show(value)}`;
      this.#report(
        "not_listed",
        since === undefined ? message : `${message}, which needs ${since}`,
        since === undefined ? { near: nearest(value, listed) } : {},
      );
    }
  }

  #object(
    value: Record<string, unknown>,
    { properties = {}, required = [], not }: JsonSchema,
    name: string | undefined,
  ): void {
    for (const key of requiredBy(name, required, this.#release)) {
      if (!Object.hasOwn(value, key)) {
        this.#report("missing", "is missing", { key });
      }
    }
    for (const [key, member] of Object.entries(value)) {
      const missing = lackOf(name, key, this.#release);
      if (missing !== undefined) {
        const { reason, near } = missing;
        const message = `${name} has no such key ${reason}`;
        this.#report("unknown_key", message, { key, near });
      } else if (Object.hasOwn(properties, key)) {
        const target = resolve(properties[key]!);
        const nullable = target.nullable &&
          acceptsNull(name, key, this.#release);
        this.#member(key, member, { ...target, nullable });
      } else {
        this.#unknown(key, Object.keys(properties), name);
      }
    }
    for (
      const { required: names = [] } of aliasesOf(name, not, this.#release)
    ) {
      if (!names.every((key) => Object.hasOwn(value, key))) continue;
      const message = `${names.join(" and ")} are aliases: give one`;
      this.#report("broken_rule", message);
    }
  }

  #unknown(
    key: string,
    known: readonly string[],
    name: string | undefined,
  ): void {
    const message = `${name} has no such key`;
    const moved = movedTo(name, key);
    if (moved !== undefined) {
      const words = `${message}; it moved to ${moved}`;
      this.#report("unknown_key", words, { key, suggestion: moved });
    } else if (isRemoved(name, key)) {
      const words = `${message}; newer releases do not have it`;
      this.#report("unknown_key", words, { key });
    } else {
      const near = nearest(key, known);
      this.#report("unknown_key", message, { key, near });
    }
  }

  /** Reports about this value, or about a member of it. */
  #report(code: ProblemCode, message: string, hint: Hint = {}): void {
    const { key, near, write, suggestion = near ?? write } = hint;
    const path = pathOf(
      key === undefined ? this.#steps : [...this.#steps, key],
    );
    if (this.problems.has(path)) return;
    const advice = near !== undefined
      ? `; did you mean ${show(near)}?`
      : write !== undefined
      ? `; write ${write}`
      : "";
    const problem = { path, code, message: message + advice };
    this.problems.set(
      path,
      suggestion === undefined ? problem : { ...problem, suggestion },
    );
  }
}

/** The parts of a problem beside its message. */
interface Hint {
  /** The member that the problem is about. */
  readonly key?: string;
  /** The valid key or string that is nearest. */
  readonly near?: string | undefined;
  /** The JSON to write instead. */
  readonly write?: string | undefined;
  readonly suggestion?: string;
}

/** Counts code points, as JSON Schema does. */
function longerThan(text: string, length: number): boolean {
  return text.length > length && [...text].length > length;
}

/** The type as JSON Schema calls it. */
function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function notExact(value: unknown): string {
  if (typeof value !== "number") {
    return `must be an integer, not ${kindOf(value)}`;
  }
  return Number.isInteger(value)
    ? `${value} is not an exact integer: write it as a bigint`
    : `must be an integer, not ${value}`;
}
