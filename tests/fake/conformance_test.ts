/** Replays every recorded exchange against the fake, and against a real VMM. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { stringify } from "../../src/json/json.ts";
import { releaseNames } from "../../testing/release.ts";
import { fake, real, type Subject } from "./conformance.ts";
import {
  type RecordedResponse,
  recordings,
  type Scenario,
} from "../support/recordings.ts";
import { hasScript, NO_SCRIPT } from "../support/installed.ts";
import { testVmm } from "../support/real_vmm.ts";
import { testIf } from "../support/skip.ts";
import { exchange, workspace } from "./replay.ts";

/** Values that the host decides, by key: only their presence is compared. */
const hosts: Readonly<Record<string, string>> = {
  pid: "a process id",
  mac: "a random address",
  base: "where the host's address space has room",
};

async function replay(subject: Subject, scenario: Scenario): Promise<void> {
  const space = workspace();
  const vmm = await subject.start(space);
  const decided = { ...hosts, ...subject.own };
  try {
    const { exchanges, events, exit } = scenario;
    // Nor does a process that ends wait for the thread of its event monitor.
    const isEnding = subject.isReal && exit !== null;
    for (const [index, recorded] of exchanges.entries()) {
      const { response, ...request } = recorded;
      if (request.afterExit) await vmm.ended;
      const answer = await exchange(vmm.socketPath, request, space.path);
      if (request.path === `/api/v1/${subject.ignored}`) continue;
      // KVM without nested virtualization cannot be snapshotted: no more here.
      if (String(answer.body).includes("GetNestedState")) return;
      // A real VMM that panics may end before its HTTP thread has answered.
      if (
        subject.isReal && isLastResponse(response) &&
        answer.closed !== undefined
      ) continue;
      assert.deepEqual(
        settle(answer, space.path, decided, subject),
        settle(response, space.path, decided, subject),
        `exchange ${index}: ${request.method} ${request.path}`,
      );
    }
    if (exit !== null) await vmm.ended;
    const seen = await vmm.events(events.length);
    const isLastLost = isEnding && seen.length === events.length - 1;
    assert.deepEqual(seen, isLastLost ? events.slice(0, -1) : events);
    assert.equal(vmm.exit(), exit);
  } finally {
    await vmm.end();
    space.remove();
  }
}

/** Tells whether a VMM answers so while its process ends by a panic. */
function isLastResponse({ body }: RecordedResponse): boolean {
  return String(body).includes("receiving on a closed channel");
}

/** An answer without what a host decides. */
function settle(
  answer: RecordedResponse,
  tmp: string,
  decided: Readonly<Record<string, string | undefined>>,
  { ignored }: Subject,
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
      // A build with another feature has another number of fields.
      return ignored === undefined
        ? text
        : text.replace(/ with \d+ elements /, " with elements ");
    }
    if (Array.isArray(value)) return value.map(settleValue);
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([key, item]) => {
      if (!Object.hasOwn(decided, key)) return [key, settleValue(item)];
      varies = true;
      return [key, decided[key]];
    });
    return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
  }
}

for (const release of releaseNames) {
  const subject = fake(release);
  for (const scenario of recordings(release)) {
    const runs = hasScript || scenario.scenario !== "consoles";
    testIf(runs, NO_SCRIPT)(
      `${subject.name}: ${scenario.scenario}`,
      () => replay(subject, scenario),
    );
  }
}

test("each Content-Length in the recordings fits its body", () => {
  for (const release of releaseNames) {
    for (const { scenario, exchanges } of recordings(release)) {
      const lengths = new Set<number>();
      for (const { response: { headers, body, text } } of exchanges) {
        const given = Number(headers?.["Content-Length"]);
        const written = text ?? (body ? stringify(body)! : "");
        if (headers === undefined || written.includes('"pid"')) continue;
        if (written === "") assert.ok(!given, scenario);
        else {
          assert.ok(Number.isInteger(given), scenario);
          lengths.add(directoryLength(written, given));
        }
      }
      // NaN is a body without a name of the directory, as long as it says.
      lengths.delete(NaN);
      assert.ok(lengths.size <= 1, `${scenario}: ${[...lengths]}`);
      assert.ok([...lengths].every(Number.isInteger), scenario);
    }
  }
});

/** The length of the directory's name, computed from the length of a body. */
function directoryLength(written: string, given: number): number {
  const names = written.split("$TMP").length - 1;
  const macs = written.split("$MAC").length - 1;
  const rest = Buffer.byteLength(written) - names * "$TMP".length +
    macs * ("2e:00:00:00:00:00".length - "$MAC".length);
  return names === 0 && given === rest ? NaN : (given - rest) / names;
}

const space = workspace();
const vmm = await real(space);
space.remove();

testVmm(typeof vmm === "string" ? vmm : undefined)(
  "a real VMM answers as recorded",
  async () => {
    const subject = vmm as Subject;
    for (const scenario of recordings(subject.release)) {
      await replay(subject, scenario);
    }
  },
);
