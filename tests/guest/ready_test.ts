/** Readiness: systemd's credentials, and the listener for its report. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  guestCredentials,
  openConsole,
  waitForReady,
} from "../../src/guest/mod.ts";
import { inDirectory } from "../support/vmms.ts";
import { hosts } from "./support.ts";

test("guestCredentials() makes the strings that systemd reads", () => {
  assert.deepEqual(
    guestCredentials({
      readyPort: 8888,
      authorizedKeys: "ssh-ed25519 AAAA user@host\n",
      more: { "passwd.hashed-password.root": "$y$x" },
    }),
    [
      "io.systemd.credential:vmm.notify_socket=vsock-stream:2:8888",
      "io.systemd.credential.binary:ssh.ephemeral-authorized_keys-all=c3NoLWVkMjU1MTkgQUFBQSB1c2VyQGhvc3QK",
      "io.systemd.credential.binary:passwd.hashed-password.root=JHkkeA==",
    ],
  );
  assert.deepEqual(guestCredentials({}), []);
  const two = guestCredentials({ authorizedKeys: ["ssh-rsa A", "ssh-rsa B"] });
  assert.equal(atob(two[0]!.split("=")[1]!), "ssh-rsa A\nssh-rsa B\n");
});

test("guestCredentials() refuses what is no port, key or name", () => {
  for (
    const [options, field] of [
      [{ readyPort: -1 }, "readyPort"],
      [{ authorizedKeys: "" }, "authorizedKeys"],
      [{ authorizedKeys: ["/root/.ssh/id.pub"] }, "authorizedKeys"],
      [{ more: { "a b": "" } }, "more"],
      [{ more: { "..": "" } }, "more"],
    ] as const
  ) {
    assert.throws(() => guestCredentials(options), { field });
  }
});

test("waitForReady() takes systemd's reports, one connection each", () =>
  inDirectory(async (directory) => {
    const path = join(directory, "vsock");
    const ready = waitForReady(path, { boot: later, timeoutMs: 20_000 });
    await report(`${path}_8888`, "X_SYSTEMD_UNIT_ACTIVE=x\nSTATUS=Starting\n");
    await report(`${path}_8888`, "NOTREADY=1\nREADY=10\n");
    await report(`${path}_8888`, "STATUS=Up\nREADY=1\nMAINPID=1");
    await ready;
    assert.deepEqual(readdirSync(directory), []);
  }));

test("waitForReady() shows the last status at its deadline", () =>
  inDirectory(async (directory) => {
    const path = join(directory, "vsock");
    const ready = waitForReady(path, { boot: later, timeoutMs: 300 });
    await report(`${path}_8888`, "STATUS=Waiting for \x1b[31mdisk\n");
    await assert.rejects(ready, (error: Error) => {
      assert.match(error.message, /Waiting for \\u001b\[31mdisk/);
      return true;
    });
    assert.deepEqual(readdirSync(directory), []);
  }));

test("waitForReady() leaves nothing when it is aborted", () =>
  inDirectory(async (directory) => {
    const path = join(directory, "vsock");
    const reason = new Error("enough");
    const aborted = AbortSignal.abort(reason);
    const options = { boot: later, signal: aborted };
    await assert.rejects(waitForReady(path, options), reason);
    const controller = new AbortController();
    const { signal } = controller;
    const ready = waitForReady(path, { boot: later, signal });
    // A guest that never closes, and never says anything.
    await listening(`${path}_8888`);
    const socket = connect(`${path}_8888`);
    await new Promise((resolve) => socket.once("connect", resolve));
    controller.abort(reason);
    await assert.rejects(ready, reason);
    await new Promise((resolve) => socket.once("close", resolve).resume());
    assert.deepEqual(readdirSync(directory), []);
  }));

test("waitForReady() rejects as its boot does, and leaves nothing", () =>
  inDirectory(async (directory) => {
    const path = join(directory, "vsock");
    const reason = new Error("no boot");
    const boot = (): Promise<void> => {
      assert.ok(existsSync(`${path}_8888`));
      return Promise.reject(reason);
    };
    await assert.rejects(waitForReady(path, { boot }), reason);
    const none = { boot: undefined } as never;
    await assert.rejects(waitForReady(path, none), { field: "boot" });
    assert.deepEqual(readdirSync(directory), []);
  }));

for (const host of hosts) {
  host.test(`${host.name}: the guest reports that it is ready`, () =>
    host.with(async ({ vmm, vsock }) => {
      await waitForReady(vmm, {
        timeoutMs: 20_000,
        async boot() {
          await using console = await openConsole(vmm);
          await vmm.client.vm.boot();
          await console.waitFor("guest login: ");
          await console.write("connect 8888\n");
          await console.waitFor("guest login: ");
        },
      });
      assert.ok(!existsSync(`${vsock}_8888`));
    }, {
      platform: {
        oem_strings: guestCredentials({
          readyPort: 8888,
          authorizedKeys: "ssh-ed25519 AAAA",
        }),
      },
    }));
}

/** For guests that run already. */
function later(): Promise<void> {
  return Promise.resolve();
}

/** Waits until somebody listens. */
async function listening(path: string): Promise<void> {
  while (!existsSync(path)) await delay(2);
}

/** Sends a message as systemd does, and waits until it is read. */
async function report(path: string, message: string): Promise<void> {
  await listening(path);
  await new Promise<void>((resolve, reject) => {
    const socket = connect(path, () => socket.end(message));
    socket.on("error", reject);
    socket.on("close", () => resolve());
    socket.resume();
  });
}
