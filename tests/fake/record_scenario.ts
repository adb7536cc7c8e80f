/** Sends the requests of a scenario to a VMM, and records what comes back. */
import { parse, stringify } from "../../src/json/json.ts";
import type {
  Exchange,
  RecordedRequest,
  Scenario,
} from "../support/recordings.ts";
import type { Subject } from "./conformance.ts";
import { exchange, workspace } from "./replay.ts";

/** Milliseconds that a VMM has for a response. */
const LIMIT_MS = 30_000;

/**
 * Records a scenario with a VMM of its own.
 *
 * @returns The recording, or the reason why there is none.
 */
export async function recordScenario(
  subject: Pick<Subject, "start">,
  scenario: string,
  requests: readonly RecordedRequest[],
  limitMs: number = LIMIT_MS,
): Promise<Scenario | string> {
  const space = workspace();
  const vmm = await subject.start(space);
  try {
    const exchanges: Exchange[] = [];
    for (const [index, request] of requests.entries()) {
      const response = await within(limitMs, async () => {
        if (request.afterExit) await vmm.ended;
        return await exchange(vmm.socketPath, request, space.path);
      });
      if (response === undefined) {
        const line = request.path ?? request.raw?.split("\r\n", 1)[0];
        return `request ${index} (${line}) got no response within ` +
          `${limitMs} ms`;
      }
      exchanges.push({ ...request, response });
    }
    // The event monitor is a thread of its own, and may be behind.
    await new Promise((resolve) => setTimeout(resolve, 300));
    const events = await vmm.events(0);
    const exit = vmm.exit();
    const text = stringify({ scenario, exchanges, events, exit })!;
    return parse(text.replaceAll(space.path, "$TMP")) as Scenario;
  } finally {
    await vmm.end();
    space.remove();
  }
}

/** The value, or `undefined` after so many milliseconds. */
async function within<T>(
  ms: number,
  value: () => Promise<T>,
): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([value(), limit]);
  } finally {
    clearTimeout(timer);
  }
}
