/** Suggestions for values of the wrong type. */
import type { JsonSchema } from "../generated_support/json_schema.ts";
import { nearest } from "./nearest.ts";

/** JSON that has the meaning of a value of another type, if there is any. */
export function sameMeaning(
  value: unknown,
  schema: JsonSchema,
  name: string | undefined,
): string | undefined {
  const types = [schema.type].flat();
  const own = OBJECTS[name ?? ""]?.(value);
  if (own !== undefined) return own;
  if (types.includes("integer")) return integerOf(value)?.toString();
  if (types.includes("boolean")) return booleanOf(value)?.toString();
  return undefined;
}

const UNITS = "KMGT";

/** The integer that a string such as "512M" or "2" means. */
function integerOf(value: unknown): bigint | undefined {
  if (typeof value !== "string") return undefined;
  const [, digits, unit] = /^(\d{1,19}) *([KMGT])?(?:i?B)?$/i.exec(value) ?? [];
  if (digits === undefined) return undefined;
  const power = unit === undefined ? 0 : UNITS.indexOf(unit.toUpperCase()) + 1;
  return BigInt(digits) * 1024n ** BigInt(power);
}

function booleanOf(value: unknown): boolean | undefined {
  const text = String(typeof value === "string" ? value : "").toLowerCase();
  if (["on", "true", "yes"].includes(text)) return true;
  return ["off", "false", "no"].includes(text) ? false : undefined;
}

/** Objects that a flag writes as one value. */
const OBJECTS: {
  readonly [schema: string]: (value: unknown) => string | undefined;
} = {
  MemoryConfig: (value) => {
    const size = integerOf(value);
    return size === undefined ? undefined : `{ "size": ${size} }`;
  },
  CpusConfig: (value) =>
    /^\d+$/.test(textOf(value))
      ? `{ "boot_vcpus": ${value}, "max_vcpus": ${value} }`
      : undefined,
  CpuTopology: (value) => {
    const parts = /^(\d+):(\d+):(\d+):(\d+)$/.exec(textOf(value));
    if (parts === null) return undefined;
    const [, threads, cores, dies, packages] = parts;
    return `{ "threads_per_core": ${threads}, "cores_per_die": ${cores}, ` +
      `"dies_per_package": ${dies}, "packages": ${packages} }`;
  },
  ConsoleConfig: modeOf,
  SerialConfig: modeOf,
  DebugConsoleConfig: modeOf,
};

const MODES = ["Off", "Null", "Tty", "Pty", "File", "Socket"];

function modeOf(value: unknown): string | undefined {
  const mode = typeof value === "string" ? nearest(value, MODES) : undefined;
  return mode === undefined ? undefined : `{ "mode": "${mode}" }`;
}

function textOf(value: unknown): string {
  return ["string", "number", "bigint"].includes(typeof value)
    ? String(value)
    : "";
}
