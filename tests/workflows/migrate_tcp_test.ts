/** Migrations between real VMMs over TCP: stopped in the middle, and with TLS. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { spawnVmm, type VmmProcess } from "../../src/process/mod.ts";
import {
  arrivedVm,
  migrateVm,
  receiveVm,
  sendVm,
} from "../../src/workflows/mod.ts";
import { createCertificates, hasOpenssl } from "../support/certificates.ts";
import { freePort } from "../support/port.ts";
import { MAJOR, NO_VMM, olderThan, testVmm } from "../support/real_vmm.ts";
import { type SlowLink, slowLink } from "../support/slow_link.ts";
import { inDirectory, opens, programs, smallVm } from "../support/vmms.ts";

interface Sides {
  readonly directory: string;
  readonly from: VmmProcess;
  readonly to: VmmProcess;
  readonly port: number;
  readonly link: SlowLink;
}

const [, { command, test }] = programs as [unknown, typeof programs[number]];

const NO_KVM = MAJOR !== undefined && opens("/dev/kvm") ? undefined : NO_VMM;

/** The part of the VM's 64 MiB that is through when the link stands still. */
const HALF = 32 << 20;
const LIMIT = { timeoutMs: 20_000 };

/** Calls `body` with two real VMMs and a link to the port of the second. */
function between(
  body: (sides: Sides) => Promise<void>,
  holdAfter?: number,
): Promise<void> {
  return inDirectory(async (directory) => {
    const config = smallVm(directory);
    const from = await spawnVmm({ command, config });
    const to = await spawnVmm({ command });
    const port = await freePort();
    const link = await slowLink(port, holdAfter);
    try {
      await body({ directory, from, to, port, link });
    } finally {
      await from.kill();
      await to.kill();
      link.close();
    }
  });
}

test("a real VMM: sendVm() joins over TCP what another call has begun", () =>
  between(async ({ from, to, port, link }) => {
    const { url } = link;
    await receiveVm(to, { url: `tcp:127.0.0.1:${port}` });
    const controller = new AbortController();
    const { signal } = controller;
    const first = sendVm(from, { url, signal });
    await link.held;
    controller.abort(new Error("enough"));
    await assert.rejects(first, /enough/);
    const second = sendVm(from, { url, ...LIMIT });
    link.release();
    // Up to v51.1 nobody but the first call is told.
    const outcome = MAJOR! < 52 ? /^(moved|gone)$/ : /^moved$/;
    assert.match(await second, outcome);
    assert.equal(await arrivedVm(to), "Running");
    assert.equal(link.connections, 1);
  }, HALF));

test("a real VMM: the VM stays when the destination is killed", () =>
  between(async ({ from, to, port, link }) => {
    const { url } = link;
    await receiveVm(to, { url: `tcp:127.0.0.1:${port}` });
    const sending = sendVm(from, { url, ...LIMIT });
    await link.held;
    await to.kill();
    assert.equal(await sending, "stayed");
    assert.equal((await from.client.vm.info()).state, "Running");
    assert.equal(await arrivedVm(to), undefined);
  }, HALF));

test("a real VMM: the VM is gone when the source is killed", () =>
  between(async ({ from, to, port, link }) => {
    const { url } = link;
    await receiveVm(to, { url: `tcp:127.0.0.1:${port}` });
    const sending = sendVm(from, { url, ...LIMIT });
    await link.held;
    await from.kill();
    link.release();
    assert.equal(await sending, "gone");
    // A destination that loses its source among the memory never answers again.
    await assert.rejects(arrivedVm(to, { timeoutMs: 3000 }), {
      code: "deadline",
    });
  }, HALF));

test("a real VMM: migrateVm() joins in the middle over TCP", () =>
  between(async ({ from, to, port, link }) => {
    const options = { url: link.url, receiverUrl: `tcp:127.0.0.1:${port}` };
    const first = migrateVm(from, to, options);
    await link.held;
    const second = migrateVm(from, to, { ...options, ...LIMIT });
    // The second one asks both sides, of which one is silent.
    const third = migrateVm(from, to, { ...options, ...LIMIT });
    link.release();
    for (const move of [first, second, third]) {
      assert.equal((await move).state, "Running");
    }
  }, HALF));

testVmm(NO_KVM ?? olderThan(52, "it ignores the field connections"))(
  "a real VMM: four connections for memory are five in all",
  () =>
    between(async ({ from, to, port, link }) => {
      const { url } = link;
      await receiveVm(to, { url: `tcp:127.0.0.1:${port}` });
      const send = {
        connections: 4,
        downtime_ms: 500,
        timeout_s: 60,
        timeout_strategy: "Ignore",
      } as const;
      assert.equal(await sendVm(from, { url, send, ...LIMIT }), "moved");
      assert.equal(await arrivedVm(to), "Running");
      assert.equal(link.connections, 5);
    }),
);

const tlsTest = testVmm(
  NO_KVM ??
    (hasOpenssl ? olderThan(53, "it has no TLS") : "openssl is not installed"),
);

tlsTest(
  "a real VMM: a VM moves by TLS, with several connections",
  () =>
    between(async ({ directory, from, to, port, link }) => {
      const tls_dir = createCertificates(join(directory, "tls"));
      const listen = { url: `tcp:127.0.0.1:${port}`, receive: { tls_dir } };
      await receiveVm(to, listen);
      const send = { tls_dir, connections: 2 };
      assert.equal(
        await sendVm(from, { url: link.url, send, ...LIMIT }),
        "moved",
      );
      assert.equal(await arrivedVm(to), "Running");
      assert.equal(link.connections, 3);
    }),
);

tlsTest(
  "a real VMM: a VM stays whose certificate is not accepted",
  () =>
    between(async ({ directory, from, to, port, link }) => {
      const { url } = link;
      const tls_dir = createCertificates(join(directory, "tls"));
      const listen = { url: `tcp:127.0.0.1:${port}`, receive: { tls_dir } };
      const foreign = createCertificates(join(directory, "foreign"));
      for (const send of [{ tls_dir: foreign }, {}]) {
        // A peer that fails to shake hands ends the listening.
        await receiveVm(to, listen);
        assert.equal(await sendVm(from, { url, send, ...LIMIT }), "stayed");
        assert.equal(await arrivedVm(to), undefined);
      }
      const other = createCertificates(join(directory, "other"), "127.0.0.9");
      await receiveVm(to, { ...listen, receive: { tls_dir: other } });
      const send = { tls_dir: other };
      assert.equal(await sendVm(from, { url, send, ...LIMIT }), "stayed");
      assert.equal((await from.client.vm.info()).state, "Running");
    }),
);
