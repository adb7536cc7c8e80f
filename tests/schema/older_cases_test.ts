/** validate() for a release, held to what real VMMs of that release answered. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parse, stringify } from "../../src/json/json.ts";
import { hasSince } from "../../src/generated_support/release.ts";
import {
  type Problem,
  type RequestName,
  validate,
} from "../../src/schema/mod.ts";
import type { ReleaseName } from "../../testing/release_type.ts";
import { baseOf, type BodyCase, bodyCases } from "../support/body_cases.ts";
import { olderIds, olderReleases, stepsOf } from "../support/older_cases.ts";
import type { VmConfig } from "../../mod.ts";

/** Bodies that older releases refuse because of the host, and why. */
const HOST_DECIDES: readonly {
  readonly ids: RegExp;
  /** The first release that accepts the bodies, or ignores nothing in them. */
  readonly until: ReleaseName;
  readonly reason: string;
}[] = [
  {
    ids: /^(migration|send|docs-send)-/,
    until: "v53.0",
    reason: "the status is the outcome, and nobody listens",
  },
  {
    ids: /^pmem-(sized|larger)$/,
    until: "v52.0",
    reason: "the size is larger than the file",
  },
  {
    ids: /^phys-bits-33$/,
    until: "v52.0",
    reason: "the devices need more room than the host's CPU leaves",
  },
  {
    ids: /^(restore-ondemand-lower|form-device-bars)$/,
    until: "v52.0",
    reason: "the release ignores the key, and a path is missing",
  },
];

function placed<T>(value: T): T {
  return parse(stringify(value)!.replaceAll("$TMP", "/tmp/case")) as T;
}

function problemsOf(item: BodyCase, release: ReleaseName): Problem[] {
  const { config } = baseOf(item) as { config: VmConfig | undefined };
  const disks = config?.disks?.map((disk, index) => ({
    id: `_disk${index}`,
    ...disk,
  }));
  const vm = config && placed({ ...config, ...disks && { disks } });
  const operation = item.operation as RequestName;
  return validate(placed(item.body), operation, { vm, release });
}

/** The difference between validate() and the VMM, if there is any. */
function differenceOf(
  item: BodyCase,
  release: ReleaseName,
  problems: readonly Problem[],
): string | undefined {
  const refused = stepsOf(item, release)!.some(({ status = 0, died, hangs }) =>
    status >= 400 || died !== undefined || hangs === true
  );
  // The VMM ignores an unknown key, so that a warning is correct.
  const wrong = problems.filter(({ code }) => code !== "unknown_key");
  if (refused && wrong.length === 0) return item.needsHost ? undefined : "miss";
  if (refused || wrong.length === 0 || item.alarmAllowed) return undefined;
  return `false alarm: ${JSON.stringify(wrong)}`;
}

function isHost({ id }: BodyCase, release: ReleaseName): boolean {
  return HOST_DECIDES.some(({ ids, until }) =>
    ids.test(id) && !hasSince(release, until)
  );
}

const withBody = bodyCases.filter(({ body }) => body !== undefined);

for (const release of olderReleases) {
  test(`validate() finds what ${release} refuses`, () => {
    const found = withBody.flatMap((item) => {
      const difference = differenceOf(
        item,
        release,
        problemsOf(item, release),
      );
      if (difference === undefined) return [];
      if (difference === "miss" && isHost(item, release)) return [];
      return `${item.id}: ${difference}`;
    });
    assert.deepEqual(found, []);
  });
}

test("each body that the host decides is refused by an older release", () => {
  for (const { ids, reason } of HOST_DECIDES) {
    const missed = withBody.some((item) =>
      ids.test(item.id) &&
      olderReleases.some((release) =>
        differenceOf(item, release, problemsOf(item, release)) === "miss"
      )
    );
    assert.ok(missed, reason);
  }
});

test("the record has only cases that there are", () => {
  const ids = bodyCases.map(({ id }) => id);
  assert.deepEqual(olderIds.filter((id) => !ids.includes(id)), []);
  assert.ok(olderIds.length > 100, `${olderIds.length} cases`);
});

test("validate() says what ends the VMM of an older release only", () => {
  const codeOf = (body: unknown, release: ReleaseName): string[] =>
    validate({ payload: { kernel: "/k" }, ...body as object }, "vm.create", {
      release,
    }).map(({ path, code }) => `${path} ${code}`);
  const image = { path: "/a.raw", image_type: "Raw" };
  for (
    const [body, path] of [
      [{ disks: [{ ...image, queue_size: 100 }] }, "disks[0].queue_size"],
      [{ net: [{ queue_size: 100 }] }, "net[0].queue_size"],
      [{ disks: [{ ...image, pci_segment: 3 }] }, "disks[0].pci_segment"],
      [
        {
          memory: { size: 1 << 28, shared: true },
          net: [{ vhost_user: true }],
        },
        "net[0].vhost_socket",
      ],
    ] as const
  ) {
    assert.deepEqual(codeOf(body, "v53.0"), [`${path} broken_rule`]);
    assert.deepEqual(codeOf(body, "v52.0"), [`${path} fatal`]);
  }
});
