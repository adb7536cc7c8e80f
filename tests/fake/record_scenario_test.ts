import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { newestRelease } from "../../testing/release.ts";
import { serve } from "../support/server.ts";
import { fake, type Subject } from "./conformance.ts";
import { recordScenario } from "./record_scenario.ts";

const PING = { method: "GET", path: "/api/v1/vmm.ping" };
const INFO = { method: "GET", path: "/api/v1/vm.info" };

test("a scenario is recorded with its responses and events", async () => {
  const subject = fake(newestRelease);
  const recording = await recordScenario(subject, "two", [PING, INFO]);
  assert.ok(typeof recording === "object");
  const statuses = recording.exchanges.map(({ response }) => response.status);
  assert.deepEqual(statuses, [200, 404]);
  assert.equal(recording.events[0]!.event, "starting");
});

test("a request without a response ends its scenario, and is named", async () => {
  let ends = 0;
  let directory = "";
  const server = await serve((socket, request) => {
    // The VMM answers the first request, and never the second.
    if (request.includes("ping")) {
      socket.write("HTTP/1.1 204 \r\n\r\n");
    }
  });
  const subject: Pick<Subject, "start"> = {
    start: ({ path }) => {
      directory = path;
      return Promise.resolve({
        socketPath: server.path,
        ended: new Promise(() => {}),
        exit: () => null,
        signal: () => null,
        events: () => Promise.resolve([]),
        end: () => {
          ends++;
          return server.close();
        },
      });
    },
  };
  const reason = await recordScenario(subject, "stuck", [PING, INFO], 200);
  assert.equal(
    reason,
    "request 1 (/api/v1/vm.info) got no response within 200 ms",
  );
  assert.equal(ends, 1);
  assert.ok(!existsSync(directory), directory);
});
