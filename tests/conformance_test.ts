/** Replays every recorded exchange against the fake, and against a real VMM. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { decode } from "../src/json.ts";
import type { ReleaseName } from "../testing/mod.ts";
import { fake, real, type Subject } from "./conformance.ts";
import {
  exchange,
  type RecordedAnswer,
  type RecordedRequest,
  workspace,
} from "./replay.ts";
import { unless } from "./skip.ts";

interface Scenario {
  readonly scenario: string;
  readonly exchanges: readonly (RecordedRequest & {
    readonly response: RecordedAnswer;
    /** A pause, in which the VMM ended. */
    readonly waitMs?: number;
  })[];
  readonly events: readonly [readonly unknown[]];
  readonly exit: readonly [number | null];
}

/** The recordings of each release. */
const directories: Readonly<Record<ReleaseName, string>> = {
  "v54.0-dev": "head",
  "v53.0": "v53.0",
};

/** What a host decides, by key: it is there, and no more is compared. */
const hosts: Readonly<Record<string, string>> = {
  pid: "a process id",
  mac: "a random address",
  base: "where the host's address space has room",
};

function scenarios(release: ReleaseName): Scenario[] {
  const base = new URL(
    `recordings/${directories[release]}/`,
    import.meta.url,
  );
  return readdirSync(base).sort().map((name) =>
    decode(readFileSync(new URL(name, base), "utf8")) as Scenario
  );
}

async function replay(subject: Subject, scenario: Scenario): Promise<void> {
  const space = workspace();
  const vmm = await subject.start(space);
  const decided = { ...hosts, ...subject.own };
  try {
    const { exchanges, events, exit } = scenario;
    for (const [index, recorded] of exchanges.entries()) {
      const { response, waitMs, ...request } = recorded;
      if (waitMs !== undefined) await vmm.ended;
      const answer = await exchange(vmm.socketPath, request, space.path);
      // KVM without nested virtualization cannot be snapshotted: no more here.
      if (String(answer.body).includes("GetNestedState")) return;
      assert.deepEqual(
        settle(answer, space.path, decided),
        settle(response, space.path, decided),
        `exchange ${index}: ${request.method} ${request.path}`,
      );
    }
    // One process a scenario.
    assert.deepEqual([await vmm.events(events[0].length)], events);
    assert.deepEqual([vmm.exit()], exit);
  } finally {
    await vmm.end();
    space.remove();
  }
}

/** An answer without what a host decides. */
function settle(
  answer: RecordedAnswer,
  tmp: string,
  decided: Readonly<Record<string, string>>,
): unknown {
  const { headers = {}, body, ...rest } = answer;
  let varies = false;
  const settled = settleValue(body);
  // A length that counts what varies is as long as it is.
  const length = varies ? {} : { "Content-Length": headers["Content-Length"] };
  return {
    ...rest,
    headers: { "Content-Type": headers["Content-Type"], ...length },
    body: settled,
  };

  function settleValue(value: unknown): unknown {
    if (typeof value === "string") {
      const text = value.replaceAll(tmp, "$TMP");
      varies ||= text.includes("$TMP");
      return text;
    }
    if (Array.isArray(value)) return value.map(settleValue);
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([key, item]) => {
      const own = decided[key];
      varies ||= own !== undefined;
      return [key, own ?? settleValue(item)];
    });
    return Object.fromEntries(entries);
  }
}

for (const release of ["v54.0-dev", "v53.0"] as const) {
  const subject = fake(release);
  for (const scenario of scenarios(release)) {
    test(`${subject.name}: ${scenario.scenario}`, () =>
      replay(subject, scenario));
  }
}

const space = workspace();
const vmm = await real(space);
space.remove();

test(
  "a real VMM answers as recorded",
  { skip: unless(typeof vmm !== "string", String(vmm)) },
  async () => {
    const subject = vmm as Subject;
    for (const scenario of scenarios(subject.release)) {
      await replay(subject, scenario);
    }
  },
);
