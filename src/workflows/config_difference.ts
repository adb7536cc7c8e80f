/** Compares a configuration with the configuration of a VM. */
import { schemas } from "../generated/schemas.gen.ts";
import type { VmConfig } from "../generated/types.gen.ts";
import { wireKeywords } from "../generated/wire_keywords.gen.ts";
import type { JsonSchema } from "../generated_support/json_schema.ts";
import { hasSince } from "../generated_support/release.ts";

/** A field in which a VM differs from a configuration. */
export interface ConfigDifference {
  /** Such as `disks[0].path`. */
  readonly path: string;
  readonly wanted: unknown;
  readonly actual: unknown;
}

/**
 * Lists the differences in the fields that `wanted` gives. Fields that it does
 * not give may have any value: the VMM adds ids, addresses and defaults. Keys
 * that the VMM does not know, in its release if that is given, count as not
 * given.
 */
export function differencesOf(
  wanted: VmConfig,
  actual: VmConfig,
  release?: string,
): ConfigDifference[] {
  const differences: ConfigDifference[] = [];
  const schema = { $ref: "VmConfig" };
  compare({ schema, path: "", wanted, actual, release }, differences);
  return differences;
}

interface Pair {
  readonly schema: JsonSchema;
  readonly path: string;
  readonly wanted: unknown;
  readonly actual: unknown;
  readonly release: string | undefined;
}

function compare(
  { schema, path, wanted, actual, release }: Pair,
  differences: ConfigDifference[],
): void {
  const name = nameOf(schema);
  const target = name === undefined ? schema : schemas[name]!;
  const present = actual ?? schema.default ?? target.default;
  if (Array.isArray(wanted)) {
    const items = Array.isArray(present) ? present : [];
    const count = Math.max(wanted.length, items.length);
    for (let at = 0; at < count; at++) {
      const pair = {
        schema: target.items!,
        path: `${path}[${at}]`,
        wanted: wanted[at],
        actual: items[at],
        release,
      };
      if (at < Math.min(wanted.length, items.length)) {
        compare(pair, differences);
      } else differences.push(differenceOf(pair));
    }
  } else if (isObject(wanted) && isObject(present)) {
    for (const [key, schema] of Object.entries(target.properties ?? {})) {
      const value = wanted[key];
      if (value == null || isNeverReturned(key, wanted)) continue;
      if (isNewer(name, key, release)) continue;
      const actual = present[key] ?? present[NEW_NAMES.get(key) ?? key];
      const memberPath = path === "" ? key : `${path}.${key}`;
      const pair = { schema, path: memberPath, wanted: value, actual, release };
      compare(pair, differences);
    }
  } else if (!isSame(path, wanted, present)) {
    differences.push({ path, wanted, actual });
  }
}

function differenceOf({ path, wanted, actual }: Pair): ConfigDifference {
  return { path, wanted, actual };
}

/** The name of the schema behind a reference. */
function nameOf(schema: JsonSchema): string | undefined {
  const { $ref } = schema.anyOf?.[0] ?? schema;
  if ($ref === undefined) return undefined;
  const name = $ref.slice($ref.lastIndexOf("/") + 1);
  return nameOf(schemas[name]!) ?? name;
}

/** Tells whether the VMM's release ignores a key, since it is older. */
function isNewer(
  name: string | undefined,
  key: string,
  release: string | undefined,
): boolean {
  if (name === undefined || release === undefined) return false;
  const since = wireKeywords[name]?.properties?.[key]?.["x-since"];
  return since !== undefined && !hasSince(release, since);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** Tells whether the VMM drops a key of an object. */
function isNeverReturned(key: string, object: object): boolean {
  // Descriptors travel beside the body.
  if (key === "fd" || key === "fds") return true;
  return "firmware" in object && object.firmware != null &&
    (key === "cmdline" || key === "initramfs");
}

function isSame(path: string, wanted: unknown, actual: unknown): boolean {
  if (wanted === actual) return true;
  // The VMM leaves out what is off or empty.
  if (actual == null) {
    return wanted === false ||
      isObject(wanted) && Object.values(wanted).every((value) => value == null);
  }
  if (typeof wanted === "string" && typeof actual === "string") {
    const toForm = FORMS.get(path.slice(path.lastIndexOf(".") + 1));
    return toForm !== undefined && toForm(wanted) === toForm(actual);
  }
  return isInteger(wanted) && isInteger(actual) &&
    BigInt(wanted) === BigInt(actual);
}

function isInteger(value: unknown): value is number | bigint {
  return typeof value === "bigint" || Number.isInteger(value);
}

/** Keys that the VMM accepts under an old name, and returns under a new one. */
const NEW_NAMES: ReadonlyMap<string, string> = new Map([
  ["serial_number", "system_serial_number"],
  ["uuid", "system_uuid"],
]);

const toUuid = (text: string): string =>
  text.toLowerCase().replaceAll(/^urn:uuid:|[{}-]/g, "");

/** The one form of values that the VMM accepts in several forms. */
const FORMS: ReadonlyMap<string, (text: string) => string> = new Map([
  ["mac", (text) => text.toLowerCase()],
  ["host_mac", (text) => text.toLowerCase()],
  ["ip", toAddress],
  ["mask", toAddress],
  ["uuid", toUuid],
  ["system_uuid", toUuid],
]);

function toAddress(text: string): string {
  // An IPv4 address has one form only.
  const url = `http://[${text}]`;
  return URL.canParse(url) ? new URL(url).hostname : text;
}
