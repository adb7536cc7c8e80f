/** Runs cases, and says of each what is not as it should be. */
import { isDeepStrictEqual } from "node:util";
import process from "node:process";
import {
  type Client,
  CloudHypervisorError,
  createClient,
  DeadlineError,
} from "../../mod.ts";
import { type Case, DEVICE, type Outcome, type RuntimeName } from "./case.ts";
import { setStage, type Stage } from "./stage.ts";
import { Watch } from "./watch.ts";

/** For what has no answer; all else is over long before its deadline. */
const SHORT_MS = 300;
const LONG_MS = 40_000;
/** Under load, the server reads a request after a short deadline. */
const LONGER_MS = 5_000;
/** A call that takes longer is stuck. */
const PATIENCE_MS = 25_000;

export const runtime: RuntimeName = process.versions["deno"] !== undefined
  ? "deno"
  : process.versions["bun"] !== undefined
  ? "bun"
  : "node";

/** Runs some at once; resolves to the complaints. */
export async function perform(cases: readonly Case[]): Promise<string[]> {
  const complaints: string[] = [];
  const left = cases.values();
  const work = async (): Promise<void> => {
    for (const row of left) {
      // Where much is wrong, much gets stuck.
      if (complaints.length >= MOST) return;
      for (const complaint of await performOne(row)) {
        complaints.push(`${row.name}: ${complaint}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return complaints;
}

const AT_ONCE = 12;
const MOST = 10;

/** The outcome that the table has for this runtime. */
export function expected({ outcome, but }: Case): Outcome {
  return but?.[runtime]?.[0] ?? outcome;
}

async function performOne(
  row: Case,
  shortMs: number = SHORT_MS,
): Promise<string[]> {
  const complaints: string[] = [];
  const expect = (what: string, got: unknown, wanted: unknown): void => {
    if (isDeepStrictEqual(got, wanted)) return;
    complaints.push(`${what} ${show(got)}, not ${show(wanted)}`);
  };
  const stage = await setStage(row.script);
  // With one connection, what is lost of it is missed by the next call.
  const client = createClient(stage.path, { maxConnections: 1 });
  const watch = new Watch();
  try {
    const wanted = expected(row);
    const got = await within(
      "a call",
      outcomeOf(row, client, stage, watch, shortMs),
    );
    expect("ends as", got.outcome, wanted);
    complaints.push(...got.complaints);
    // Until it has closed, what was sent twice may still be on its way.
    const isKept = row.kept?.[runtime] !== undefined;
    if (!isKept) await within("a connection", stage.idle());
    const { first, later } = stage.requests;
    const isLate = wanted === "deadline" && first === 0 && row.sent !== 0;
    if (isLate && shortMs === SHORT_MS) return performOne(row, LONGER_MS);
    if (!(row.early && first === 0)) expect("requests", first, row.sent ?? 1);
    expect("requests again", later, 0);
    const most = wanted === "deadline" ? Infinity : row.taken ?? Infinity;
    if (stage.taken() > most) {
      complaints.push(`the client took ${stage.taken()} bytes`);
    }
    const options = { timeoutMs: LONG_MS, signal: watch.signal };
    expect("the next call", await add(client, options), DEVICE);
    if (!isKept) await within("a connection", stage.idle());
    expect("requests with the next", stage.requests.later, 1);
    expect("listeners left", watch.listeners, 0);
  } catch (error) {
    complaints.push(`${error}`);
  } finally {
    client.close();
    await stage.close();
  }
  return complaints;
}

async function outcomeOf(
  row: Case,
  client: Client,
  stage: Stage,
  { signal }: Watch,
  shortMs: number,
): Promise<{ outcome: Outcome; complaints: string[] }> {
  const timeoutMs = expected(row) === "deadline" ? shortMs : LONG_MS;
  const complaints: string[] = [];
  const options = { timeoutMs, signal };
  try {
    const value = await (row.call ?? add)(client, options);
    const wanted = "value" in row ? row.value : DEVICE;
    const same = row.check?.(value) ?? isDeepStrictEqual(value, wanted);
    if (!same) {
      complaints.push(`resolves to ${show(value)}, not ${show(wanted)}`);
    }
    return { outcome: "right", complaints };
  } catch (error) {
    if (error === signal.reason) return { outcome: "reason", complaints };
    if (!(error instanceof CloudHypervisorError)) {
      return { outcome: `${error}`, complaints };
    }
    if (error.socketPath !== stage.path) complaints.push("names no socket");
    if (error.operation === undefined) complaints.push("names no operation");
    if (error instanceof DeadlineError && error.timeoutMs !== timeoutMs) {
      complaints.push(`has a deadline of ${error.timeoutMs}`);
    }
    return { outcome: error.code, complaints };
  }
}

/** Rather a complaint than a file of tests that hangs. */
async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stuck = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what} does not end`)),
      PATIENCE_MS,
    );
  });
  return await Promise.race([promise, stuck]).finally(() =>
    clearTimeout(timer)
  );
}

function add(
  { vm }: Client,
  options: { timeoutMs: number; signal: AbortSignal },
): Promise<unknown> {
  return vm.addDisk({ path: "/disk" }, options);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? `${value}`;
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
