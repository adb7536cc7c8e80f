/** The error codes in the spec, against what real VMMs of each release said. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { generalCodes } from "../../codegen/pages/errors_page.ts";
import { endpoints, readSpec } from "../../codegen/spec.ts";
import { readResponse } from "../../src/client/response.ts";
import { ApiError } from "../../src/errors/errors.ts";
import { type OperationName, operations } from "../../src/generated/api.gen.ts";
import { hasSince } from "../../src/generated_support/release.ts";
import { releaseNames } from "../../testing/release.ts";
import type { ReleaseName } from "../../testing/release_type.ts";
import { bodyCases, type Step } from "../support/body_cases.ts";
import { caseReleases } from "../support/case_releases.ts";
import { recordOf, refusalCases, stepsOf } from "../support/older_cases.ts";
import { recordings, textOf } from "../support/recordings.ts";

const spec = readSpec(
  new URL("../../spec/cloud-hypervisor.yaml", import.meta.url),
);
const general = generalCodes(spec).map(([code]) => code as string);

/** Codes that no record has, and the reason. */
const UNSEEN: { readonly [call: string]: string } = {
  "vm.coredump unsupported: v53.0,v54.0-dev":
    "the recorded builds have the feature guest_debug",
  "vm.coredump wrong_state": "the VM has ended without being deleted",
  "vm.reboot duplicate_id": "the configuration was valid at the boot",
  "vm.reboot invalid_config": "the configuration was valid at the boot",
  "vm.restore duplicate_id": "it needs file descriptors",
  "vm.send-migration busy: v53.0,v54.0-dev": "memory is being filled",
  "vm.send-migration wrong_state: v52.0,v53.0,v54.0-dev":
    "a debugger holds the VM",
  "vm.snapshot busy: v53.0,v54.0-dev": "memory is being filled",
};

/** The names of operations with the codes that a release was seen to give. */
function seenIn(release: ReleaseName): Set<string> {
  const seen = new Set<string>();
  const add = (name: string, status: number, text: string) => {
    if (!Object.hasOwn(operations, name)) return;
    const operation = name as OperationName;
    try {
      readResponse(operations[operation], status, text, { operation });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      seen.add(`${name} ${error.code}`);
    }
  };
  for (const { exchanges } of recordings(release)) {
    for (const exchange of exchanges) {
      const name = exchange.path?.replace("/api/v1/", "") ?? "";
      if (operations[name as OperationName]?.method !== exchange.method) {
        continue;
      }
      const { status = 0 } = exchange.response;
      if (status >= 300) add(name, status, textOf(exchange));
    }
  }
  const addSteps = (operation: string, steps: readonly Step[] = []) => {
    for (const { step, status, body } of steps) {
      const name = step === "op" ? operation : `vm.${step}`;
      if (status === undefined || status < 300) continue;
      add(name, status, body === undefined ? "" : JSON.stringify(body));
    }
  };
  for (const item of bodyCases) {
    addSteps(item.operation, stepsOf(item, release));
  }
  for (const { operation, real } of refusalCases) {
    addSteps(operation, recordOf(real, release));
  }
  return seen;
}

const seen = new Map(releaseNames.map((name) => [name, seenIn(name)]));

/** The first release with a code of an operation, if not all have it. */
function sinceOf(name: string, code: string): string | undefined {
  const endpoint = endpoints(spec).find((one) => one.name === name)!;
  const own = endpoint["x-since-errors"]?.[code];
  return own ?? spec.info["x-since-errors"]?.[code] ?? endpoint["x-since"];
}

test("the spec has each code that a release was seen to give", () => {
  for (const [release, calls] of seen) {
    assert.ok(calls.size > 40, `${calls.size} codes of ${release}`);
    for (const call of calls) {
      const [name, code] = call.split(" ") as [string, string];
      const endpoint = endpoints(spec).find((one) => one.name === name)!;
      // Operations that a release lacks, and bodies that are not JSON.
      if (code === "unsupported" || code === "invalid_json") continue;
      const isListed = [...endpoint["x-errors"], ...general].includes(code);
      assert.ok(isListed, `${call} on ${release}`);
      const since = sinceOf(name, code);
      const isOlder = since !== undefined && !hasSince(release, since);
      assert.ok(!isOlder, `${call} on ${release}, marked since ${since}`);
    }
  }
});

test("each release was seen to give the codes that the spec says", () => {
  const unseen: string[] = [];
  // A new release has recordings only.
  const recorded = releaseNames.slice(releaseNames.indexOf(caseReleases[0]!));
  for (const { name, "x-errors": codes } of endpoints(spec)) {
    for (const code of codes) {
      const since = sinceOf(name, code);
      const missing = recorded.filter((release) =>
        (since === undefined || hasSince(release, since)) &&
        !seen.get(release)!.has(`${name} ${code}`)
      );
      if (missing.length === 0) continue;
      const all = missing.length === recorded.length;
      unseen.push(`${name} ${code}${all ? "" : `: ${missing.toReversed()}`}`);
    }
  }
  assert.deepEqual(unseen.sort(), Object.keys(UNSEEN).sort());
});

test("a mark of a code names a code that the call can have", () => {
  for (
    const { name, "x-errors": codes, "x-since-errors": since = {} }
      of endpoints(spec)
  ) {
    for (const code of Object.keys(since)) {
      assert.ok(codes.includes(code), `${name} ${code}`);
    }
  }
  for (const code of Object.keys(spec.info["x-since-errors"]!)) {
    assert.ok(general.includes(code), code);
  }
});
