/** Replays every recorded exchange with real VMMs against the fake. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { decode } from "../src/json.ts";
import { FakeVmm, type ReleaseName } from "../testing/mod.ts";
import {
  exchange,
  type RecordedAnswer,
  type RecordedRequest,
  workspace,
} from "./replay.ts";

interface Scenario {
  readonly scenario: string;
  readonly exchanges:
    readonly (RecordedRequest & { response: RecordedAnswer })[];
  readonly events: readonly [readonly unknown[]];
  readonly exit: readonly [number | null];
}

const directories: { readonly [name: string]: ReleaseName } = {
  head: "v54.0-dev",
  "v53.0": "v53.0",
};

for (const [directory, release] of Object.entries(directories)) {
  const base = new URL(`recordings/${directory}/`, import.meta.url);
  for (const name of readdirSync(base).sort()) {
    const scenario = decode(
      readFileSync(new URL(name, base), "utf8"),
    ) as Scenario;
    test(`FakeVmm as ${release}: ${scenario.scenario}`, async () => {
      const space = workspace();
      const vmm = await FakeVmm.start({
        release,
        socketPath: `${space.path}/api.sock`,
      });
      let exit: number | null = null;
      vmm.exited.then(({ code }) => exit = code);
      try {
        for (
          const [index, { response, ...request }] of scenario.exchanges
            .entries()
        ) {
          const answer = await exchange(vmm.socketPath, request, space.path);
          assert.deepEqual(
            settle(answer, space.path),
            settle(response, space.path),
            `exchange ${index}: ${request.method} ${request.path}`,
          );
        }
        const events = vmm.events.map(({ source, event, properties }) => ({
          source,
          event,
          properties,
        }));
        assert.deepEqual(events, scenario.events[0]);
        assert.equal(exit, scenario.exit[0]);
      } finally {
        await vmm.close();
        space.remove();
      }
    });
  }
}

function settle(answer: RecordedAnswer, tmp: string): unknown {
  return answer;
}
