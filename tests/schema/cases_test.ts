/** validate(), held to the bodies that real VMMs answered. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "../../src/json/json.ts";
import { type RequestName, validate } from "../../src/schema/mod.ts";
import { caseReleases } from "../support/case_releases.ts";
import type { VmConfig } from "../../mod.ts";

interface Step {
  readonly status?: number;
  readonly died?: { readonly code: number | null };
  readonly hangs?: boolean;
}

interface Case {
  readonly id: string;
  readonly operation: RequestName;
  readonly base?: string;
  readonly body?: unknown;
  readonly needsHost?: boolean;
  readonly alarmAllowed?: boolean;
  readonly validateReason?: string;
  readonly real: { readonly [release: string]: readonly Step[] };
}

interface Cases {
  readonly bases: { readonly [name: string]: { readonly config: VmConfig } };
  readonly cases: readonly Case[];
}

const text = readFileSync(
  new URL("../cases/bodies.json", import.meta.url),
  "utf8",
);
const { bases, cases } = parse(text.replaceAll("$TMP", "/tmp/case")) as Cases;
const withBody = cases.filter(({ body }) => body !== undefined);
/** The releases from the newest to the oldest. */
const [newest, ...older] = caseReleases;

/** True if the release refused the body, or did not survive the body. */
function isRefused({ real }: Case, release: string): boolean {
  return real[release]!.some(({ status = 0, died, hangs }) =>
    status >= 400 || died !== undefined || hangs === true
  );
}

/** The configuration as `vm.info` returns it: each disk has an id. */
function booted(config: VmConfig): VmConfig {
  const disks = config.disks ?? [];
  return {
    ...config,
    disks: disks.map((disk, index) => ({ id: `_disk${index}`, ...disk })),
  };
}

/** The difference between validate() and a release, if there is any. */
function differenceOf(item: Case, release: string): string | undefined {
  const { operation, body, base, needsHost, alarmAllowed } = item;
  const vm = base === undefined ? undefined : booted(bases[base]!.config);
  const problems = validate(body, operation, { vm });
  if (isRefused(item, release)) {
    return problems.length > 0 || needsHost ? undefined : "miss";
  }
  if (problems.length === 0 || alarmAllowed) return undefined;
  return `false alarm: ${JSON.stringify(problems)}`;
}

test("validate() has no miss and no false alarm", () => {
  const differences = withBody.flatMap((item) => {
    const difference = differenceOf(item, newest!);
    return difference === undefined ? [] : `${item.id}: ${difference}`;
  });
  assert.deepEqual(differences, []);
  assert.ok(withBody.length > 230, `${withBody.length} bodies`);
});

test("an older release differs only for a reason", () => {
  for (const release of older) {
    for (const item of withBody) {
      const difference = differenceOf(item, release);
      const reason = item.validateReason;
      assert.ok(
        difference === undefined || reason,
        `${item.id}: ${difference}`,
      );
    }
  }
});

test("each reason in the data is needed", () => {
  for (const item of withBody) {
    if (item.validateReason === undefined) continue;
    const strict = { ...item, alarmAllowed: false };
    const differs = caseReleases
      .some((release) => differenceOf(strict, release) !== undefined);
    assert.ok(differs, item.id);
  }
});

test("validate() finds what the VM itself makes wrong", () => {
  const found = withBody.filter((item) =>
    item.needsHost && item.base !== undefined &&
    isRefused(item, newest!) && differenceOf(
        { ...item, needsHost: false },
        newest!,
      ) === undefined
  ).map(({ id }) => id);
  for (
    const id of [
      ...["add-fs-unshared", "add-user-device-unshared", "add-disk-same"],
      ...["remove-underscore", "resize-9", "resize-balloon"],
      "resize-ram-100g",
      ...["resize-disk-unknown", "remove-device-unknown"],
    ]
  ) assert.ok(found.includes(id), `${id} is not in ${found}`);
});

test("a record that changes is noticed", () => {
  const decided = withBody.filter(({ needsHost, alarmAllowed }) =>
    !needsHost && !alarmAllowed
  );
  for (const item of decided) {
    const step: Step = { status: isRefused(item, newest!) ? 204 : 400 };
    const changed = { ...item, real: { [newest!]: [step] } };
    assert.ok(differenceOf(changed, newest!), item.id);
  }
  assert.ok(decided.length > 150, `${decided.length} bodies`);
});
