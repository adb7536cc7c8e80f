/** Finds releases of upstream that the spec does not list, and their changes. */
import { readFileSync } from "node:fs";
import { hasSince } from "../src/generated_support/release.ts";
import { changes, readDeviations } from "./deviations.ts";
import { type Places, PROJECT, type Report } from "./drift.ts";
import type { ReleaseEntry } from "./spec.ts";
import { fetchBytes, specFacts } from "./upstream_file.ts";

/** A tag of upstream, and what changed since the release before. */
export interface TagReport extends Report {
  readonly tag: string;
  /** The newest release with a tag that the spec lists, and that is older. */
  readonly since: string;
}

/** Returns the tags of releases that the spec does not list, oldest first. */
export function newTags(
  tags: readonly string[],
  releases: readonly Pick<ReleaseEntry, "name">[],
): string[] {
  const names = releases.map(({ name }) => name);
  return tags.filter((tag) =>
    /^v\d+\.\d+$/.test(tag) && !names.includes(tag) &&
    hasSince(tag, names[0]!)
  ).sort((a, b) => hasSince(a, b) ? 1 : -1);
}

/** Compares upstream's file at each new tag with that of the release before. */
export async function tagReports(
  tags: readonly string[],
  releases: readonly Pick<ReleaseEntry, "name">[],
  places: Places = PROJECT,
): Promise<TagReport[]> {
  const tagged = releases.map(({ name }) => name)
    .filter((name) => !name.endsWith("-dev"));
  const reports = newTags(tags, releases).map(async (tag) => {
    const since = tagged.filter((name) => hasSince(tag, name)).at(-1)!;
    return { tag, since, ...await compareTags(since, tag, places) };
  });
  return await Promise.all(reports);
}

async function compareTags(
  before: string,
  after: string,
  { deviations, origin, patienceMs }: Places,
): Promise<Report> {
  const { upstream } = readDeviations(readFileSync(deviations, "utf8"));
  const { repository, path } = upstream;
  const [old, now] = await Promise.all([before, after].map(async (ref) => {
    const url = `${origin}/${repository}/${ref}/${path}`;
    const bytes = await fetchBytes(url, patienceMs);
    return bytes && specFacts(bytes, url);
  }));
  if (old === undefined || now === undefined) {
    return { lines: ["tags: skipped, upstream not reachable"], code: 0 };
  }
  return { lines: changes(old, now), code: 1 };
}
