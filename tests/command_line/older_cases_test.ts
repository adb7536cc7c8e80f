/** Command lines of `tests/cases/`, against what older releases made of them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { PlatformConfigInfo } from "../../src/generated/types.gen.ts";
import { releaseNames } from "../../testing/release.ts";
import type { ReleaseName } from "../../testing/release_type.ts";
import { isCaseRelease } from "../support/case_releases.ts";
import {
  type LineCase,
  lineCases,
  type Outcome,
} from "../support/line_cases.ts";
import { olderReleases } from "../support/older_cases.ts";
import { differences } from "./differences.ts";
import { tryInProcess } from "./try_line.ts";

const older = JSON.parse(
  readFileSync(
    new URL("../cases/older_lines.json", import.meta.url),
    "utf8",
  ),
) as { readonly [id: string]: { readonly [name in ReleaseName]?: Outcome } };

/** The outcome of a release, without `info`. */
function recordOf({ id, real }: LineCase, release: ReleaseName): Outcome {
  const own = older[id]?.[release];
  if (own !== undefined) return own;
  if (isCaseRelease(release)) {
    const { info: _, ...outcome } = real[release];
    return outcome;
  }
  const newer = releaseNames[releaseNames.indexOf(release) - 1]!;
  return recordOf({ id, real } as LineCase, newer);
}

/** Lines that the stand-in program treats otherwise, and why. */
const EXCEPTIONS: { readonly [id: string]: string } = {
  "docs-gdb": "the recorded program has the feature guest_debug",
  "docs-log-format": "v52.0 has fewer tokens of the format",
  "docs-generic-vhost-user": "v52.0 converts the options in another order",
  "generic-type-watchdog": "the words of the message differ",
  "landlock-access-bad": "the words of the message differ",
  "net-fd-queues": "the words of the message differ",
  "net-fd-reserved": "the words of the message differ",
  "platform-uuid-bad": "the words of the message differ",
  "pmem": "before v52.0, the size may not exceed the file",
  "queue-size": "the fake ends with exit code 1, and the VMM by SIGABRT",
  "syntax-bracket": "before v52.0, the message names an option",
  "syntax-bracket-close": "before v52.0, the message names an option",
  "syntax-no-equals": "before v52.0, the message names an option",
  "syntax-quote": "before v52.0, the message names an option",
  "typical-mergeable-shared": "the filter of system calls ended the VMM",
  "typical-qcow2-net": "the filter of system calls ended the VMM",
};

for (const release of olderReleases) {
  test(`the stand-in program treats command lines as ${release} does`, async () => {
    const found: string[] = [];
    for (const one of lineCases) {
      // All other lines have the outcome of the next newer release.
      if (older[one.id]?.[release] === undefined) continue;
      if (one.hostDecides || EXCEPTIONS[one.id] !== undefined) continue;
      const outcome = await tryInProcess(one, release)
        .catch((error) => ({ up: false, exit: String(error) }));
      const [first] = differences(recordOf(one, release), outcome);
      if (first !== undefined) found.push(`${one.id}: ${first}`);
    }
    assert.deepEqual(found.sort(), []);
  });
}

test("--platform has the names of an older release", async () => {
  const one = lineCases.find(({ id }) => id === "platform-serial-separators")!;
  const { info } = await tryInProcess(one, "v52.0");
  const { serial_number } = info!.config!["platform"] as PlatformConfigInfo;
  assert.equal(serial_number, "k=v;u=http://192.0.2.1:80/");
});

test("each exception has a record of an older release", () => {
  for (const id of Object.keys(EXCEPTIONS)) {
    assert.ok(older[id] !== undefined, id);
  }
  const cases = lineCases.map(({ id }) => id);
  for (const id of Object.keys(older)) assert.ok(cases.includes(id), id);
});
