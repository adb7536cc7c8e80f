/** The responses of older releases to the request bodies of `tests/cases/`. */
import { readFileSync } from "node:fs";
import { parse } from "../../src/json/json.ts";
import { releaseNames } from "../../testing/release.ts";
import type { ReleaseName } from "../../testing/release_type.ts";
import type { BodyCase, Step } from "./body_cases.ts";
import { isCaseRelease } from "./case_releases.ts";

/** The releases that only `older_bodies.json` has, newest first. */
export const olderReleases: readonly ReleaseName[] = releaseNames.filter(
  (name) => !isCaseRelease(name),
);

const steps = parse(
  readFileSync(
    new URL("../cases/older_bodies.json", import.meta.url),
    "utf8",
  ),
) as { readonly [id: string]: { readonly [release: string]: Step[] } };

/** The steps of a release, without `info`. */
export function stepsOf(
  { id, real }: Pick<BodyCase, "id" | "real">,
  release: ReleaseName,
): readonly Step[] {
  if (isCaseRelease(release)) {
    return real[release].filter(({ step }) => step !== "info");
  }
  const own = steps[id]?.[release];
  if (own !== undefined) return own;
  return stepsOf(
    { id, real },
    releaseNames[releaseNames.indexOf(release) - 1]!,
  );
}

/** The ids of all cases that the file has. */
export const olderIds: readonly string[] = Object.keys(steps);
