/** The parts of a migration, each asked again and by another script. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { connectVmm } from "../../src/process/mod.ts";
import { arrivedVm, receiveVm, sendVm } from "../../src/workflows/mod.ts";
import { ANSWER_MS } from "../../src/workflows/migration/arrived.ts";
import { FakeClock } from "../../testing/mod.ts";
import { pair } from "../support/migration.ts";
import { freePort } from "../support/port.ts";
import { REFUSAL, VM } from "../support/running_vm.ts";
import type { Faked } from "../support/vmms.ts";

/** A handle of another script. */
function again({ vmm }: Faked, eventsPath: string) {
  return connectVmm(vmm.socketPath, { eventsPath });
}

/** The offset of the last event so far. */
async function cursorOf({ vmm }: Faked): Promise<number> {
  let since = 0;
  const ended = Promise.resolve();
  for await (const { offset } of vmm.events!({ ended })) since = offset;
  return since;
}

const sent = ({ fake }: Faked): number =>
  fake.requests.filter(({ path }) => path.includes("send-migration")).length;

for (const way of ["unix", "tcp"] as const) {
  test(`the parts of a migration move a VM by ${way}`, () =>
    pair(async ({ directory, from, to }) => {
      const url = way === "tcp"
        ? `tcp:127.0.0.1:${await freePort()}`
        : `unix:${directory}/socket`;
      assert.equal(await arrivedVm(to.vmm), undefined);
      await receiveVm(to.vmm, { url });
      assert.equal(await arrivedVm(to.vmm), undefined);
      assert.equal(await sendVm(from.vmm, { url }), "moved");
      assert.equal(await arrivedVm(to.vmm), "Running");
      await from.fake.exited;
      assert.equal(await arrivedVm(from.vmm), undefined);
      // Each part can be asked again.
      await receiveVm(to.vmm, { url });
      assert.equal(await sendVm(from.vmm, { url }), "moved");
      while (to.fake.openConnections > 0) await turn();
    }));

  test(`receiveVm() finds a VMM that listens by ${way}`, () =>
    pair(async ({ directory, to }) => {
      const port = await freePort();
      const url = way === "tcp"
        ? `tcp:127.0.0.1:${port}`
        : `unix:${directory}/socket`;
      const other = way === "tcp"
        ? `tcp:127.0.0.1:${await freePort()}`
        : `unix:${directory}/other`;
      await receiveVm(to.vmm, { url });
      const vmm = await again(to, join(directory, "to.events"));
      await receiveVm(vmm, { url });
      const elsewhere = { code: "invalid_request", field: "url" };
      await assert.rejects(receiveVm(vmm, { url: other }), elsewhere);
      const { path } = to.fake.requests.at(-1)!;
      assert.match(path, /receive-migration/);
    }));
}

test("receiveVm() refuses a VMM with a VM of its own", () =>
  pair(async ({ directory, from, to }) => {
    const url = `unix:${directory}/socket`;
    const occupied = { code: "invalid_request", field: "destination" };
    await assert.rejects(receiveVm(from.vmm, { url }), occupied);
    await to.vmm.client.vm.create(VM);
    await assert.rejects(receiveVm(to.vmm, { url }), occupied);
    await assert.rejects(receiveVm(to.vmm, { url: "/socket" }), {
      field: "url",
    });
  }));

test("receiveVm() does not take a slow VMM for a VMM that listens", () =>
  pair(async ({ directory, from, to }) => {
    const url = `unix:${directory}/socket`;
    const fault = { delayMs: ANSWER_MS + 300 };
    to.fake.injectFault({ operation: "vm.info", fault });
    await receiveVm(to.vmm, { url });
    assert.equal(await sendVm(from.vmm, { url }), "moved");
  }));

test("receiveVm() rejects as the VMM that cannot listen", () =>
  pair(async ({ directory, to }) => {
    const url = `unix:${directory}/missing/socket`;
    await assert.rejects(receiveVm(to.vmm, { url }), { name: "ApiError" });
    const { client } = to.vmm;
    await assert.rejects(receiveVm(client, { url }), { name: "ApiError" });
  }));

test("sendVm() joins a migration, and its signal ends the following only", async () => {
  const clock = new FakeClock();
  await pair(async ({ directory, from, to }) => {
    const url = `unix:${directory}/socket`;
    const since = await cursorOf(from);
    await receiveVm(to.vmm, { url });
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error("enough");
    const first = sendVm(from.vmm, { url, signal, since });
    await from.fake.event("migration-memory-iteration");
    controller.abort(reason);
    await assert.rejects(first, (error) => error === reason);
    const vmm = await again(from, join(directory, "from.events"));
    const joined = [
      sendVm(vmm, { url, since }),
      sendVm(vmm, { url }),
      sendVm(from.vmm, { url }),
    ];
    while (clock.now() < 1000) {
      clock.advance(1000);
    }
    assert.deepEqual(await Promise.all(joined), ["moved", "moved", "moved"]);
    assert.equal(sent(from), 1);
    assert.equal(await arrivedVm(to.vmm), "Running");
  }, { source: { clock, guest: { migrationMs: 1000 } } });
});

test("two calls of sendVm() at once move the VM once", () =>
  pair(async ({ directory, from, to }) => {
    const url = `unix:${directory}/socket`;
    await receiveVm(to.vmm, { url });
    const both = [sendVm(from.vmm, { url }), sendVm(from.vmm, { url })];
    assert.deepEqual(await Promise.all(both), ["moved", "moved"]);
  }));

test("sendVm() follows a migration of which no event has come yet", () =>
  pair(async ({ directory, from, to }) => {
    const url = `unix:${directory}/socket`;
    await receiveVm(to.vmm, { url });
    const chain = ["Error from API", "There is already an ongoing migration"];
    const fault = { status: 500, chain };
    from.fake.injectFault({ operation: "vm.send-migration", fault });
    const following = sendVm(from.vmm, { url });
    while (sent(from) === 0) await turn();
    await from.vmm.client.vm.sendMigration({ destination_url: url });
    assert.equal(await following, "moved");
  }));

test("sendVm() says that the VM stayed when the destination dies", async () => {
  const clock = new FakeClock();
  await pair(async ({ directory, from, to }) => {
    const url = `unix:${directory}/socket`;
    const since = await cursorOf(from);
    await receiveVm(to.vmm, { url });
    const sending = sendVm(from.vmm, { url, since });
    await from.fake.event("migration-memory-iteration");
    await to.fake.crash();
    assert.equal(await sending, "stayed");
    assert.equal((await from.vmm.client.vm.info()).state, "Running");
    // The outcome since the cursor is known; without a cursor it tries anew.
    assert.equal(await sendVm(from.vmm, { url, since }), "stayed");
    assert.equal(sent(from), 1);
    assert.equal(await sendVm(from.vmm, { url }), "stayed");
    assert.equal(sent(from), 2);
    assert.equal(await arrivedVm(to.vmm), undefined);
  }, { source: { clock, guest: { migrationMs: 1000 } } });
});

// So it was with v53.0 and upstream's head, too.
test("the VM runs on both sides when the last answer is lost", () =>
  pair(async ({ directory, from, to }) => {
    const [near, far] = [join(directory, "near"), join(directory, "far")];
    await receiveVm(to.vmm, { url: `unix:${far}` });
    const server = createServer((source) => {
      const target = connect(far);
      source.on("error", () => {}).pipe(target);
      target.on("data", (answer) => {
        // The fake sends "ok" when it begins, and when it runs the VM.
        if (to.fake.events.some(({ event }) => event === "resumed")) {
          source.destroy();
          target.destroy();
        } else source.write(answer);
      });
    }).listen(near);
    await once(server, "listening");
    assert.equal(await sendVm(from.vmm, { url: `unix:${near}` }), "stayed");
    server.close();
    assert.equal((await from.vmm.client.vm.info()).state, "Running");
    assert.equal(await arrivedVm(to.vmm), "Running");
  }));

test("sendVm() says that a source is gone that died", async () => {
  const clock = new FakeClock();
  await pair(async ({ directory, from, to }) => {
    const url = `unix:${directory}/socket`;
    await receiveVm(to.vmm, { url });
    const sending = sendVm(from.vmm, { url });
    await from.fake.event("migration-memory-iteration");
    await from.fake.crash();
    assert.equal(await sending, "gone");
    assert.equal(await sendVm(from.vmm, { url }), "gone");
    assert.equal(await arrivedVm(to.vmm), undefined);
  }, { source: { clock, guest: { migrationMs: 1000 } } });
});

test("sendVm() rejects where the VMM refuses, and may be asked again", () =>
  pair(async ({ directory, from, to }) => {
    const url = `unix:${directory}/socket`;
    await receiveVm(to.vmm, { url });
    from.fake.injectFault({ operation: "vm.send-migration", fault: REFUSAL });
    await assert.rejects(sendVm(from.vmm, { url }), { name: "ApiError" });
    await assert.rejects(sendVm(from.vmm.client, { url }), { field: "source" });
    const send = { connections: 2 };
    const invalid = { code: "invalid_config" };
    await assert.rejects(sendVm(from.vmm, { url, send }), invalid);
    assert.equal(await sendVm(from.vmm, { url }), "moved");
  }));

test("the parts refuse TLS where the VMM would ignore it", () =>
  pair(async ({ from, to }) => {
    const url = `tcp:127.0.0.1:${await freePort()}`;
    const ping = (client: Faked["vmm"]["client"]) => ({
      ...client,
      vmm: {
        ...client.vmm,
        ping: async () => ({
          ...await client.vmm.ping(),
          version: "52.0.0",
        }),
      },
    });
    const tls = { tls_dir: "/tls" };
    const refused = { code: "invalid_request", field: "tls_dir" };
    const old = { ...to.vmm, client: ping(to.vmm.client) };
    await assert.rejects(receiveVm(old, { url, receive: tls }), refused);
    const source = { ...from.vmm, client: ping(from.vmm.client) };
    await assert.rejects(sendVm(source, { url, send: tls }), refused);
    assert.equal(sent(from), 0);
  }));

test("the parts pass all other fields to the VMM", () =>
  pair(async ({ directory, from, to }) => {
    const url = `tcp:127.0.0.1:${await freePort()}`;
    const tls_dir = join(directory, "tls");
    mkdirSync(tls_dir);
    for (const side of ["server", "client"]) {
      for (const name of ["ca-cert", `${side}-cert`, `${side}-key`]) {
        writeFileSync(join(tls_dir, `${name}.pem`), "");
      }
    }
    await receiveVm(to.vmm, { url, receive: { tls_dir } });
    const send = {
      tls_dir,
      connections: 4,
      downtime_ms: 100,
      timeout_s: 60,
      timeout_strategy: "Ignore",
    } as const;
    assert.equal(await sendVm(from.vmm, { url, send }), "moved");
    const bodyOf = ({ fake }: Faked, name: string): unknown =>
      JSON.parse(fake.requests.find(({ path }) => path.includes(name))!.body);
    assert.deepEqual(bodyOf(from, "send-migration"), {
      ...send,
      destination_url: url,
    });
    assert.deepEqual(bodyOf(to, "receive-migration"), {
      tls_dir,
      receiver_url: url,
    });
  }));
