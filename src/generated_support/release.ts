/** The order of the releases of the VMM. */

/** The name of a release, such as `v52.0`, or `v54.0-dev` before its tag. */
export type VmmRelease = `v${number}.${number}` | `v${number}.${number}-dev`;

/** True if the release is `since`, or newer. */
export function hasSince(release: string, since: string): boolean {
  return numberOf(release) >= numberOf(since);
}

/** True for a name of a release. */
export function isRelease(text: string): text is VmmRelease {
  return NAME.test(text);
}

/** A number that grows from release to release; NaN for another text. */
function numberOf(release: string): number {
  const [, major, minor] = NAME.exec(release) ?? [];
  return Number(major) * 1000 + Number(minor);
}

const NAME = /^v(\d+)\.(\d+)(-dev)?$/;
