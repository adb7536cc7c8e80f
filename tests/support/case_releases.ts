/** The releases whose answers to all cases are recorded. */
import { releaseNames } from "../../testing/release.ts";
import type { ReleaseName } from "../../testing/release_type.ts";

/** A release that `tests/cases/` has. */
export type CaseRelease = "v54.0-dev" | "v53.0";

/** The releases that `tests/cases/` has, newest first. */
export const caseReleases: readonly CaseRelease[] = releaseNames.filter(
  isCaseRelease,
);

/** True if `tests/cases/` has the answers of the release. */
export function isCaseRelease(name: ReleaseName): name is CaseRelease {
  return name === "v54.0-dev" || name === "v53.0";
}
