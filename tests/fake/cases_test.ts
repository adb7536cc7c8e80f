/** Holds the fake, and a real VMM, to the recorded outcome of each body. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyCases, type Step } from "../support/body_cases.ts";
import {
  type CaseRelease,
  caseReleases,
  isCaseRelease,
} from "../support/case_releases.ts";
import { hasScript } from "../support/installed.ts";
import { testVmm } from "../support/real_vmm.ts";
import { difference, outcomeOf } from "./cases.ts";
import { fake, real, type Subject } from "./conformance.ts";
import { workspace } from "./replay.ts";

type CaseSubject = Subject & { readonly release: CaseRelease };

/** The differences from the record in all cases of an operation. */
async function differences(
  subject: CaseSubject,
  operation: string,
): Promise<string[]> {
  const found: string[] = [];
  const cases = bodyCases.filter((one) =>
    one.operation === operation &&
    (subject.isReal || one.hostDecides === undefined && !needsScript(one))
  );
  for (const one of cases) {
    const recorded = one.real[subject.release];
    const text = difference(one, recorded, await outcomeOf(subject, one));
    if (text !== undefined) found.push(text);
  }
  return found;
}

/** True for a pseudoterminal that the fake cannot make here. */
function needsScript(one: unknown): boolean {
  return !hasScript && JSON.stringify(one).includes('"Pty"');
}

const operations = [...new Set(bodyCases.map(({ operation }) => operation))];

for (const subject of caseReleases.map((name) => fake(name))) {
  for (const operation of operations) {
    test(`${subject.name}: ${operation} has the outcome of a real VMM`, async () => {
      assert.deepEqual(await differences(subject, operation), []);
    });
  }
}

const space = workspace();
const vmm = await real(space);
space.remove();

const reason = typeof vmm === "string"
  ? vmm
  : !isCaseRelease(vmm.release)
  ? `the answers of ${vmm.release} to these bodies were not recorded`
  : vmm.ignored === undefined
  ? undefined
  : `the VMM is a build with ${vmm.features}`;

testVmm(reason)(
  "a real VMM has the recorded outcome of each request body",
  async () => {
    for (const operation of operations) {
      assert.deepEqual(await differences(vmm as CaseSubject, operation), []);
    }
  },
);

test("an outcome that differs from the record is found", async () => {
  const subject = fake(caseReleases[0]!);
  const changes: readonly [string, (last: Step) => Step][] = [
    ["cpus-max-lower", (last) => ({ ...last, status: 418 })],
    ["cpus-max-lower", ({ body, ...last }) => ({
      ...last,
      body: [...(body as string[]).slice(0, -1), "Max CPUs (3) lower"],
    })],
    ["gdb", (last) => ({ ...last, state: "Running" })],
    ["gdb", (last) => ({ ...last, config: { gdb: false } })],
    ["serial-socket-file", (last) => ({
      ...last,
      died: { code: 0, signal: null },
    })],
    ["cpus-affinity-empty", (last) => ({ step: last.step, status: 204 })],
    [
      "add-net-longtap",
      (last) => ({ ...last, died: { code: 1, signal: null } }),
    ],
  ];
  for (const [id, change] of changes) {
    const one = bodyCases.find((one) => one.id === id)!;
    const recorded = one.real[subject.release];
    const outcome = await outcomeOf(subject, one);
    assert.equal(difference(one, recorded, outcome), undefined);
    const changed = [...recorded.slice(0, -1), change(recorded.at(-1)!)];
    assert.match(String(difference(one, changed, outcome)), new RegExp(id));
    assert.notEqual(difference(one, recorded.slice(0, -1), outcome), undefined);
  }
});
