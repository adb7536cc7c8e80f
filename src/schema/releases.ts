/** The keys, values, operations and rules of each release. */
import { operations } from "../generated/api.gen.ts";
import type { RequestName } from "../generated/requests.gen.ts";
import { wireKeywords } from "../generated/wire_keywords.gen.ts";
import {
  hasSince,
  isRelease,
  type VmmRelease,
} from "../generated_support/release.ts";
import type { JsonSchema } from "../generated_support/json_schema.ts";
import type { WireKeywords } from "../generated_support/wire_keywords.ts";
import type { Problem } from "./problem.ts";
import type { Releases } from "./rules/rule.ts";

/** The release that `validate` is asked about; undefined is the newest. */
type Release = VmmRelease | undefined;

/** The reason why a release does not have a key. */
export interface Lack {
  readonly reason: string;
  /** The spelling of the key that the release has. */
  readonly near: string | undefined;
}

/** Returns `undefined` for a key that the release has, or that none has. */
export function lackOf(
  schema: string | undefined,
  key: string,
  release: Release,
): Lack | undefined {
  const members = membersOf(schema);
  if (!Object.hasOwn(members, key)) return undefined;
  const { "x-since": since, "x-until": until } = members[key]!;
  if (until !== undefined && !isBefore(release, until)) {
    return { reason: `since ${until}`, near: undefined };
  }
  if (since === undefined || !isBefore(release, since)) return undefined;
  const near = Object.keys(members)
    .find((name) => members[name]!["x-alias-of"] === key);
  return { reason: `before ${since}`, near };
}

/** The keys that a release requires; `required` has those of the newest. */
export function requiredBy(
  schema: string | undefined,
  required: readonly string[],
  release: Release,
): string[] {
  const before = Object.entries(membersOf(schema)).filter((
    [, { "x-optional-since": since }],
  ) => since !== undefined && isBefore(release, since)).map(([key]) => key);
  const now = required.filter((key) =>
    oldDefaultOf(schema, key, release) === undefined
  );
  return [...now, ...before];
}

/** True if null may stand for a key that is optional in the newest release. */
export function acceptsNull(
  schema: string | undefined,
  key: string,
  release: Release,
): boolean {
  const since = membersOf(schema)[key]?.["x-null-since"];
  return since === undefined || !isBefore(release, since);
}

/** The default of a key, if a release has another than the newest. */
export function oldDefaultOf(
  schema: string | undefined,
  key: string,
  release: Release,
): unknown {
  const old = membersOf(schema)[key]?.["x-old-default"];
  return old !== undefined && isBefore(release, old.until)
    ? old.value
    : undefined;
}

/** The groups of aliases, of which a body may have one key, in a release. */
export function aliasesOf(
  name: string | undefined,
  not: JsonSchema["not"],
  release: Release,
): readonly JsonSchema[] {
  const groups = not?.anyOf ?? (not === undefined ? [] : [not]);
  return groups.filter(({ required = [] }) =>
    required.every((key) => lackOf(name, key, release) === undefined)
  );
}

/** True if the release accepts a value of an enum. */
export function hasValue(
  schema: string | undefined,
  value: string,
  release: Release,
): boolean {
  const since = valueSince(schema, value);
  return since === undefined || !isBefore(release, since);
}

/** The first release that accepts a value, if not all do. */
export function valueSince(
  schema: string | undefined,
  value: string,
): string | undefined {
  return wireKeywords[schema ?? ""]?.["x-since-values"]?.[value];
}

/** True if the release has a rule. */
export function hasRule({ since, until }: Releases, release: Release): boolean {
  return (since === undefined || !isBefore(release, since)) &&
    (until === undefined || isBefore(release, until));
}

/**
 * The problem of a release that does not have the operation.
 *
 * @throws {RangeError} if the text is no name of a release.
 */
export function missingOperation(
  operation: RequestName,
  release: Release,
): Problem | undefined {
  if (release === undefined) return undefined;
  if (!isRelease(release)) {
    throw new RangeError(
      `options.release is ${JSON.stringify(release)}, not such as "v52.0"`,
    );
  }
  const { since } = operations[operation];
  if (since === undefined || !isBefore(release, since)) return undefined;
  const message = `${operation} needs ${since} or later, not ${release}`;
  return { path: "", code: "unsupported", message };
}

function membersOf(
  schema: string | undefined,
): { readonly [key: string]: WireKeywords } {
  return wireKeywords[schema ?? ""]?.properties ?? {};
}

function isBefore(release: Release, other: string): boolean {
  return release !== undefined && !hasSince(release, other);
}
