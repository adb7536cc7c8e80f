/** Command lines of `tests/cases/`, against what real VMMs made of them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { fakeCommand } from "../../testing/mod.ts";
import { newestRelease, releases } from "../../testing/release.ts";
import { type CaseRelease, caseReleases } from "../support/case_releases.ts";
import {
  type LineCase,
  lineCases,
  type Outcome,
} from "../support/line_cases.ts";
import { BINARY, testVmm } from "../support/real_vmm.ts";
import { opens } from "../support/vmms.ts";
import { differences } from "./differences.ts";
import { tryInProcess, tryProgram } from "./try_line.ts";

/** Cases whose output the program itself has to show, by the kind. */
const SPAWNED = [
  "no-flags",
  "version-long",
  "bool-yes",
  "flag-stray-word",
  "vsock-nocid",
  "log-file-no-directory",
  "events-path",
  "limiter-group-no-id",
  "net-all-empty",
];

/** The differences from the record, of so many cases at a time. */
async function allDifferences(
  cases: readonly LineCase[],
  release: CaseRelease,
  outcomeOf: (one: LineCase) => Promise<Outcome>,
  limit: number,
): Promise<string[]> {
  const rest = [...cases];
  const found: string[] = [];
  const worker = async () => {
    for (let one = rest.shift(); one !== undefined; one = rest.shift()) {
      const [first] = differences(one.real[release], await outcomeOf(one));
      if (first !== undefined) found.push(`${one.id}: ${first}`);
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  return found.sort();
}

for (const release of caseReleases) {
  test(`the stand-in program treats command lines as ${release} does`, async () => {
    const cases = lineCases.filter(({ hostDecides }) => !hostDecides);
    assert.ok(cases.length > 190, `${cases.length} cases`);
    const found = await allDifferences(
      cases,
      release,
      (one) => tryInProcess(one, release),
      1,
    );
    assert.deepEqual(found, []);
  });

  test(`the program itself ends as ${release} does`, async () => {
    // Of an older release, its words alone are left to show.
    const ids = release === newestRelease ? SPAWNED : ["bool-yes"];
    const cases = lineCases.filter(({ id }) => ids.includes(id));
    assert.equal(cases.length, ids.length);
    const env = { FAKE_VMM_RELEASE: release };
    const found = await allDifferences(
      cases,
      release,
      (one) => tryProgram(one, fakeCommand(), env),
      3,
    );
    assert.deepEqual(found, []);
  });
}

test("a changed record is found", async () => {
  const [release] = caseReleases;
  const one = lineCases.find(({ id }) => id === "numa-zones-distances")!;
  const outcome = await tryInProcess(one, release!);
  const recorded = one.real[release!];
  assert.deepEqual(differences(recorded, outcome), []);
  const change = (from: string, to: string) =>
    JSON.parse(JSON.stringify(recorded).replace(from, to)) as Outcome;
  for (
    const [changed, first] of [
      [{ ...recorded, up: false }, "up: true, not false"],
      [{ ...recorded, exit: 1 }, "exit: 0, not 1"],
      [
        change('"distance":20', '"distance":21'),
        "info.config.numa[0].distances[0].distance: 20, not 21",
      ],
      [
        change('"prefault":false,', ""),
        "info.config.memory.prefault: false, not nothing",
      ],
    ] as const
  ) {
    assert.deepEqual(differences(changed, outcome), [first]);
  }
});

/** Copies of a record, each with one value changed, and the place of that. */
function* changesOf(value: unknown, path = ""): Generator<[string, unknown]> {
  if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      for (const [place, other] of changesOf(item, `${path}/${key}`)) {
        const copy = Array.isArray(value) ? [...value] : { ...value };
        yield [place, Object.assign(copy, { [key]: other })];
      }
    }
  } else if (typeof value === "boolean") yield [path, !value];
  else if (typeof value === "string") yield [path, `${value}x`];
  else yield [path, Number(value) + 1];
}

test("a change of any value in any record is found", () => {
  let changes = 0;
  for (const { id, real } of lineCases) {
    for (const recorded of Object.values(real)) {
      const text = JSON.stringify(recorded)
        .replaceAll("$MAC", "02:00:00:00:00:01")
        .replaceAll("$PTY", "/dev/pts/1");
      const outcome = JSON.parse(text) as Outcome;
      assert.deepEqual(differences(recorded, outcome), [], id);
      for (const [place, changed] of changesOf(recorded)) {
        changes++;
        const found = differences(changed as Outcome, outcome);
        assert.equal(found.length, 1, `${id} ${place}`);
      }
    }
  }
  assert.ok(changes > 3000, `${changes} changes`);
});

/** The release of the binary, if there is a record of such a build. */
function releaseOfBinary(): CaseRelease | undefined {
  if (BINARY === "" || !opens("/dev/kvm")) return undefined;
  const { stdout } = spawnSync(BINARY, ["--version", "-v"], {
    encoding: "utf8",
  });
  const version = /^cloud-hypervisor (v\d+\.\d+)/.exec(stdout)?.[1];
  const built = /^Enabled features: (.*)$/m.exec(stdout)?.[1] ?? "[]";
  const release = caseReleases.find((name) =>
    name.replace("-dev", "") === version
  );
  const features = release && releases[release].features;
  return isDeepStrictEqual(JSON.parse(built), features) ? release : undefined;
}

const real = releaseOfBinary();
const testReal = testVmm(
  real === undefined
    ? `CLOUD_HYPERVISOR names no build of ${caseReleases.join(" or ")} as it ` +
      "was recorded, or /dev/kvm does not open"
    : undefined,
);

testReal("a real VMM treats command lines as its record says", async () => {
  const found = await allDifferences(
    lineCases,
    real!,
    (one) => tryProgram(one, [BINARY]),
    3,
  );
  assert.deepEqual(found, []);
});
