/** Sends the bodies of `tests/cases/` to a VMM, and compares the outcome. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import {
  baseOf,
  type BodyCase,
  createFiles,
  type Step,
} from "../support/body_cases.ts";
import type { RecordedResponse } from "../support/recordings.ts";
import type { Running, Subject } from "./conformance.ts";
import { exchange } from "./replay.ts";

/** Operations after which a case does not ask `vm.info`. */
const WITHOUT_INFO = [
  "vm.send-migration",
  "vm.receive-migration",
  "vm.snapshot",
  "vm.restore",
  "vm.coredump",
];

/** Sends the requests of a case to a fresh VMM, and returns the steps. */
export async function outcomeOf(
  subject: Subject,
  one: BodyCase,
): Promise<Step[]> {
  const directory = mkdtempSync(join(tmpdir(), "case-"));
  const close = await createFiles(one, directory, subject.isReal);
  const vmm = await subject.start(
    { path: directory, remove: () => {} },
    one.fakeFiles === "any" && !subject.isReal ? { files: "any" } : {},
  );
  try {
    return await perform(vmm, one, directory);
  } finally {
    await vmm.end();
    close();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function perform(
  vmm: Running,
  one: BodyCase,
  tmp: string,
): Promise<Step[]> {
  const { config, calls } = baseOf(one);
  const send = (operation: string, body?: unknown) => {
    const method = operation === "vm.info" ? "GET" : "PUT";
    const path = `/api/v1/${operation}`;
    const request = { method, path, ...body !== undefined && { body } };
    return exchange(vmm.socketPath, request, tmp);
  };
  for (const call of calls) {
    const body = call === "vm.create" ? config : undefined;
    const { status } = await send(call, body);
    if (status !== 204) throw new Error(`${call} of the base: ${status}`);
  }
  const steps: Step[] = [];
  const take = async (
    step: Step["step"],
    operation: string,
    body?: unknown,
  ) => {
    const sent = send(operation, body);
    const response = await Promise.race([sent, untilItHangs(vmm, sent)]);
    if (response === undefined) {
      steps.push({ step, hangs: true });
      return false;
    }
    const outcome = { step, ...resultOf(response, tmp) };
    const died = await deathOf(vmm, operation, outcome);
    steps.push(died === undefined ? outcome : { ...outcome, died });
    return died === undefined && (outcome.status ?? 500) < 300;
  };
  const done = one.operation === "vm.create"
    ? await take("create", "vm.create", one.body) &&
      (one.boot === false || await take("boot", "vm.boot"))
    : await take("op", one.operation, one.body);
  if (!done || WITHOUT_INFO.includes(one.operation)) return steps;
  await take("info", "vm.info");
  return steps;
}

/** Resolves when no response is to be expected; never after a response. */
async function untilItHangs(
  { fake }: Running,
  sent: Promise<unknown>,
): Promise<undefined> {
  let answered = false;
  void sent.then(() => answered = true);
  const next = (ms?: number) =>
    new Promise((resolve) =>
      ms === undefined ? setImmediate(resolve) : setTimeout(resolve, ms)
    );
  if (fake === undefined) {
    for (let waited = 0; waited < HANG_MS && !answered; waited += 50) {
      await next(50);
    }
  } else {
    // The fake has read the request, and many turns later has no response.
    for (let turns = 0; turns < 500 && !answered; turns++) {
      if (fake.requests.at(-1)?.status !== undefined) turns = 0;
      await next();
    }
  }
  return answered ? new Promise(() => {}) : undefined;
}

const HANG_MS = 6000;
const MIGRATION_MS = 700;

/** The end of the process, if it ended at this step. */
async function deathOf(
  vmm: Running,
  operation: string,
  { status, body }: Partial<Step>,
): Promise<Step["died"]> {
  const gone = String(body).includes("receiving on a closed channel");
  if (status === undefined || gone) await vmm.ended;
  else if (operation !== "vm.send-migration" || status >= 300) return undefined;
  else {
    const outcome = vmm.fake === undefined
      ? new Promise((resolve) => setTimeout(resolve, MIGRATION_MS))
      : vmm.fake.event("migration-failed");
    await Promise.race([vmm.ended, outcome]);
  }
  const [code, signal] = [vmm.exit(), vmm.signal()];
  return code === null && signal === null ? undefined : { code, signal };
}

function resultOf(
  { status, body }: RecordedResponse,
  tmp: string,
): Partial<Step> {
  if (status === undefined) return {};
  const value = JSON.parse(
    JSON.stringify(
      body ?? null,
      (_, item) => typeof item === "bigint" ? { exact: String(item) } : item,
    ).replaceAll(tmp, "$TMP"),
  );
  const { state, config } = (value ?? {}) as Step;
  if (config !== undefined) return { status, state: state!, config };
  return { status, ...value !== null && { body: value } };
}

/** Returns the first difference between two outcomes, if any. */
export function difference(
  one: BodyCase,
  expected: readonly Step[],
  actual: readonly Step[],
): string | undefined {
  for (const [index, step] of expected.entries()) {
    const other = actual[index];
    // A process that dies can have sent a response before.
    const { died } = step;
    if (died && isDeepStrictEqual({ ...died }, { ...other?.died })) continue;
    const [left, right] = [
      comparable(one, step, step),
      comparable(one, other, step),
    ];
    if (!isDeepStrictEqual(left, right)) {
      return `${one.id}, ${step.step}: expected ${JSON.stringify(left)}, ` +
        `got ${JSON.stringify(right)}`;
    }
  }
  return actual.length === expected.length
    ? undefined
    : `${one.id}: got ${actual.length} steps, not ${expected.length}`;
}

/** The parts of a step that are compared, by the rules of the README. */
function comparable(
  one: BodyCase,
  step: Step | undefined,
  expected: Step,
): unknown {
  if (step === undefined) return undefined;
  const { status, state, died, hangs } = step;
  const config = Object.keys(expected.config ?? {}).map((section) => [
    section,
    patterned(one, step.config?.[section], expected.config?.[section]),
  ]);
  return JSON.parse(JSON.stringify({
    status,
    state,
    died,
    hangs,
    body: chainOf(step.body, expected.body),
    config: Object.fromEntries(config),
  }));
}

function chainOf(body: unknown, expected: unknown): unknown {
  if (!Array.isArray(body)) return body;
  const last = clean(String(body.at(-1)));
  const errno = /\(os error \d+\)$/.exec(last)?.[0];
  const other = Array.isArray(expected) ? String(expected.at(-1)) : "";
  const both = errno !== undefined && other.endsWith(")") &&
    other.includes("(os error ");
  return [body[0], both ? errno : last];
}

function clean(message: string): string {
  return message.replace(/ at line \d+ column \d+$/, "")
    .replace(/\n\nStack backtrace:[^]*/, "")
    // The record cuts a message off where a stack trace began.
    .replace(/\)+$/, "");
}

const PATTERNS: Readonly<Record<string, RegExp>> = {
  $MAC: /^([\da-f]{2}:){5}[\da-f]{2}$/,
  $PTY: /^\/dev\/pts\/\d+$/,
  $TAP: /^vmtap\d+$/,
};

/** A value with a pattern of the record in place of what matches it. */
function patterned(one: BodyCase, value: unknown, expected: unknown): unknown {
  const pattern = PATTERNS[String(expected)];
  if (pattern !== undefined) {
    return pattern.test(String(value)) ? expected : value;
  }
  if (typeof value === "bigint") return { exact: String(value) };
  if (Array.isArray(value)) {
    return value.map((item, at) =>
      patterned(one, item, (expected as unknown[] | undefined)?.[at])
    );
  }
  if (typeof value !== "object" || value === null) return value;
  const asked = JSON.stringify(
    one.body ?? null,
    (_, item) => typeof item === "bigint" ? 0 : item,
  ).includes("max_phys_bits");
  const entries = Object.entries(value)
    .filter(([key]) => key !== "max_phys_bits" || asked)
    .map(([key, item]) => [
      key,
      patterned(
        one,
        item,
        (expected as Record<string, unknown> | undefined)?.[key],
      ),
    ]);
  return Object.fromEntries(entries);
}
