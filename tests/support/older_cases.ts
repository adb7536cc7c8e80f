/** The responses of each release to the requests of `tests/cases/`. */
import { readFileSync } from "node:fs";
import { parse } from "../../src/json/json.ts";
import { releaseNames } from "../../testing/release.ts";
import type { ReleaseName } from "../../testing/release_type.ts";
import type { BodyCase, Step } from "./body_cases.ts";
import { caseReleases } from "./case_releases.ts";

/** The steps by release. A missing release has the steps of the next newer. */
export type StepsByRelease = {
  readonly [name in ReleaseName]?: readonly Step[];
};

/** The releases that only `older_bodies.json` has, newest first. */
export const olderReleases: readonly ReleaseName[] = releaseNames.slice(
  releaseNames.indexOf(caseReleases.at(-1)!) + 1,
);

const older = read("older_bodies.json") as {
  readonly [id: string]: StepsByRelease;
};

/** The ids of all cases that `older_bodies.json` has. */
export const olderIds: readonly string[] = Object.keys(older);

/** The steps of a release, without `info`; `undefined` if it has no record. */
export function stepsOf(
  { id, real }: Pick<BodyCase, "id" | "real">,
  release: ReleaseName,
): readonly Step[] | undefined {
  return recordOf({ ...real, ...older[id] }, release)
    ?.filter(({ step }) => step !== "info");
}

/** The steps of a release, or those of the next newer release. */
export function recordOf(
  steps: StepsByRelease,
  release: ReleaseName,
): readonly Step[] | undefined {
  const newer = releaseNames.slice(0, releaseNames.indexOf(release) + 1);
  return newer.toReversed().map((name) => steps[name])
    .find((record) => record !== undefined);
}

/** A request that a VMM refuses, and what each release made of it. */
export interface RefusalCase {
  readonly id: string;
  readonly operation: string;
  readonly body?: unknown;
  readonly base?: string;
  readonly real: StepsByRelease;
}

export const refusalCases: readonly RefusalCase[] = read(
  "refusals.json",
) as RefusalCase[];

function read(name: string): unknown {
  const url = new URL(`../cases/${name}`, import.meta.url);
  return parse(readFileSync(url, "utf8"));
}
