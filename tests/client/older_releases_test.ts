/**
 * The client behaves the same on older releases: each recorded response of an
 * older release gives the code and the shape of data of its twin of v53.0.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { readSpec, type Schema } from "../../codegen/spec.ts";
import type { VmInfo } from "../../mod.ts";
import { validate } from "../../src/schema/mod.ts";
import {
  hasSince,
  type VmmRelease,
} from "../../src/generated_support/release.ts";
import { operations } from "../../src/generated/api.gen.ts";
import type { ReleaseName } from "../../testing/release_type.ts";
import { type Exchange, recordings } from "../support/recordings.ts";
import { type Outcome, replayingClient } from "../support/replay_server.ts";

const { components } = readSpec(
  new URL("../../spec/cloud-hypervisor.yaml", import.meta.url),
);

const TWIN = "v53.0";

/** Exchanges that older releases answer otherwise, and the reason. */
interface Exception {
  readonly operation: string;
  readonly until: VmmRelease;
  readonly code: string;
  readonly twin: string;
  readonly reason: string;
}

const EXCEPTIONS: readonly Exception[] = [
  {
    operation: "vm.remove-device",
    until: "v53.0",
    code: "done",
    twin: "unknown_device",
    reason: "only v53.0 refuses the second removal of a device",
  },
  {
    operation: "vm.send-migration",
    until: "v53.0",
    code: "vmm_gone",
    twin: "not_running",
    reason: "a migration without a VM ends the VMM; see the option release",
  },
  {
    operation: "vm.restore",
    until: "v52.0",
    code: "done",
    twin: "invalid_config",
    reason: "memory_restore_mode is an unknown key, which the VMM ignores",
  },
  {
    operation: "vm.coredump",
    until: "v53.0",
    code: "unsupported",
    twin: "not_running",
    reason: "the recorded builds do not have the feature guest_debug",
  },
  ...Object.values(operations).flatMap(({ name, since }) =>
    since === undefined ? [] : [
      ...["not_created", "other", "invalid_config", "done", "unknown_device"],
    ].map((twin) => ({
      operation: name,
      until: since as VmmRelease,
      code: "unsupported",
      twin,
      reason: "the release does not have the operation",
    }))
  ),
];

/** The numbers of exchanges: compared, excepted. */
const EXPECTED: { readonly [release: string]: readonly [number, number] } = {
  "v48.0": [160, 11],
  "v50.2": [160, 7],
  "v51.1": [160, 7],
  "v52.0": [160, 4],
};

for (const [release, expected] of Object.entries(EXPECTED)) {
  test(`calls on ${release} end as on ${TWIN}, or as listed`, async () => {
    const replay = await replayingClient();
    const twins = new Map(
      recordings(TWIN).map(({ scenario, exchanges }) => [scenario, exchanges]),
    );
    let [compared, excepted] = [0, 0];
    try {
      for (
        const { scenario, exchanges } of recordings(release as ReleaseName)
      ) {
        for (const [i, exchange] of exchanges.entries()) {
          const twin = twins.get(scenario)![i]!;
          assert.deepEqual(requestOf(exchange), requestOf(twin));
          compared++;
          // The same bytes end in the same way.
          if (isDeepStrictEqual(exchange.response, twin.response)) continue;
          const mine = await replay.outcomeOf(exchange);
          const other = await replay.outcomeOf(twin);
          const at = `${scenario} ${i}: ${exchange.path}`;
          if (codeOf(mine) === codeOf(other)) {
            sameShape(mine, other, exchange, release as VmmRelease, at);
          } else {
            assert.ok(exceptionOf(exchange, release, mine, other), at);
            excepted++;
          }
        }
      }
    } finally {
      await replay.close();
    }
    assert.deepEqual([compared, excepted], expected);
  });
}

function requestOf({ method, path, body, rawBody, raw }: Exchange): unknown {
  return { method, path, body, rawBody, raw };
}

function codeOf({ error }: Outcome): string {
  return error?.code ?? "done";
}

function exceptionOf(
  { path = "" }: Exchange,
  release: string,
  mine: Outcome,
  other: Outcome,
): Exception | undefined {
  return EXCEPTIONS.find(({ operation, until, code, twin }) =>
    path === `/api/v1/${operation}` && !hasSince(release, until) &&
    code === codeOf(mine) && twin === codeOf(other)
  );
}

/** Schemas of the data by operation; those of vm.add-* are PciDeviceInfo. */
const DATA: { readonly [path: string]: string } = {
  "/api/v1/vmm.ping": "VmmPingResponse",
  "/api/v1/vm.info": "VmInfo",
  "/api/v1/vm.counters": "VmCounters",
};

function sameShape(
  mine: Outcome,
  other: Outcome,
  { path = "" }: Exchange,
  release: VmmRelease,
  at: string,
): void {
  assert.equal(typeof mine.data, typeof other.data, at);
  if (mine.data === undefined) return;
  const schema = { $ref: DATA[path] ?? "PciDeviceInfo" };
  if (path === "") schema.$ref = "VmmPingResponse";
  const shape = shapeOf(mine.data, schema, release, "");
  const twin = shapeOf(other.data, schema, release, "");
  assert.deepEqual([...shape].sort(), [...twin].sort(), at);
  if (schema.$ref !== "VmInfo") return;
  const { config } = mine.data as VmInfo;
  const problems = validate(config, "vm.create", { release })
    .filter(({ code }) => code !== "broken_rule");
  assert.deepEqual(problems, [], at);
}

/**
 * The paths and types of the values that both releases have. Fails for a value
 * that the types of vm.info do not have.
 */
function shapeOf(
  value: unknown,
  schema: Schema,
  release: VmmRelease,
  at: string,
): Set<string> {
  if (schema.$ref !== undefined) {
    const target = schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
    return shapeOf(value, components.schemas[target]!, release, at);
  }
  if (Array.isArray(value)) {
    return new Set(
      value.flatMap((
        one,
      ) => [...shapeOf(one, schema.items!, release, `${at}[]`)]),
    );
  }
  if (schema.oneOf !== undefined || typeof value !== "object") {
    return new Set([`${at}: ${typeof value}`]);
  }
  if (value === null) {
    const isTyped = [schema.type].flat().includes("null") ||
      schema.anyOf?.some(({ type }) => type === "null");
    assert.ok(isTyped, `${at} is null`);
    return new Set([`${at}: null`]);
  }
  const { properties = {}, additionalProperties: more } = schema;
  const paths = Object.entries(value).flatMap(([key, member]) => {
    const field = properties[key] ?? more;
    assert.ok(typeof field === "object", `${at}.${key} is not typed`);
    if (isOfSomeReleases(field, release)) return [];
    const name = properties[key] === undefined ? "*" : key;
    return [...shapeOf(member, field, release, `${at}.${name}`)];
  });
  return new Set(paths);
}

/** True for a field that only one of the releases has, or only one returns. */
function isOfSomeReleases(field: Schema, release: VmmRelease): boolean {
  const { "x-since": since, "x-feature": feature, "x-returned": rule } = field;
  return feature !== undefined || field["x-until"] !== undefined ||
    // Before v52.0, false is returned, too.
    rule === "if-true" || field["x-old-default"] !== undefined ||
    (since !== undefined && !hasSince(release, since));
}
