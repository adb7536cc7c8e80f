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
  readonly exchanges: readonly (RecordedRequest & {
    response: RecordedAnswer;
    waitMs?: number;
  })[];
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
          const [index, { response, waitMs, ...request }] of scenario.exchanges
            .entries()
        ) {
          // The real ones were given time to end.
          if (waitMs !== undefined) await vmm.exited;
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

/** What a host decides, made the same on both sides. */
function settle(answer: RecordedAnswer, tmp: string): unknown {
  const { headers = {}, body, ...rest } = answer;
  // The length counts the length of the directory's name, pid and addresses.
  const { "Content-Length": length, ...others } = headers;
  return {
    ...rest,
    headers: { ...others, ...(length && { "Content-Length": length === "0" }) },
    body: settleValue(body, tmp),
  };
}

/** Values that differ from host to host, by key. */
const hosts: { readonly [key: string]: string } = {
  pid: "a process id",
  mac: "a random address",
  base: "where the host's address space has room",
};

function settleValue(value: unknown, tmp: string): unknown {
  if (typeof value === "string") return value.replaceAll(tmp, "$TMP");
  if (Array.isArray(value)) return value.map((item) => settleValue(item, tmp));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map((
      [key, item],
    ) => [key, hosts[key] ?? settleValue(item, tmp)]),
  );
}
