/** The sockets on which a VM of the fake listens: vsock and serial. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { ApiError, type Client, createClient } from "../../mod.ts";
import { FakeVmm, type FakeVmmOptions } from "../../testing/mod.ts";
import { inDirectory } from "../support/vmms.ts";

interface Space {
  readonly vmm: FakeVmm;
  readonly client: Client;
  readonly serial: string;
  readonly vsock: string;
  /** Creates a VM with both sockets. */
  create(): Promise<void>;
}

function started(
  options: FakeVmmOptions,
  body: (space: Space) => Promise<void>,
): Promise<void> {
  return inDirectory(async (directory) => {
    const serial = join(directory, "serial.sock");
    const vsock = join(directory, "vsock.sock");
    const vmm = await FakeVmm.start({ files: "any", ...options });
    const client = createClient(vmm.socketPath);
    const create = () =>
      client.vm.create({
        payload: { kernel: "/boot/vmlinux" },
        serial: { mode: "Socket", socket: serial },
        vsock: { cid: 3, socket: vsock },
      });
    try {
      await body({ vmm, client, serial, vsock, create });
    } finally {
      await vmm.close();
    }
  });
}

test("the serial socket listens from vm.create, and vsock from vm.boot", () =>
  started({}, async ({ client, create, serial, vsock }) => {
    await create();
    assert.deepEqual([serial, vsock].map(existsSync), [true, false]);
    await client.vm.boot();
    assert.deepEqual([serial, vsock].map(existsSync), [true, true]);
    await client.vm.reboot();
    assert.deepEqual([serial, vsock].map(existsSync), [true, true]);
    await client.vm.shutdown();
    assert.deepEqual([serial, vsock].map(existsSync), [false, false]);
    await client.vm.boot();
    await client.vm.delete();
    assert.deepEqual([serial, vsock].map(existsSync), [false, false]);
  }));

test("the serial socket of a VM that never booted stays and is in use", () =>
  started({}, async ({ client, create, serial }) => {
    await create();
    await client.vm.delete();
    assert.ok(existsSync(serial));
    await assert.rejects(
      create(),
      (error: ApiError) =>
        error.messages.at(-1) === "Address already in use (os error 98)",
    );
  }));

test("the serial socket sends the output from before the first reader", () =>
  started({ guest: { serialOutput: "login: " } }, async (space) => {
    await space.create();
    await space.client.vm.boot();
    const socket = connect(space.serial);
    const text = await new Promise((resolve) =>
      socket.once("data", (chunk) => resolve(String(chunk)))
    );
    socket.destroy();
    assert.equal(text, "login: ");
  }));

test("a vsock connection to a port without a listener ends", () =>
  started({}, async ({ client, create, vsock }) => {
    await create();
    await client.vm.boot();
    const socket = connect(vsock, () => socket.write("CONNECT 1024\n"));
    await new Promise((resolve) => socket.once("close", resolve));
  }));

test("a crash leaves the sockets, and they are in use for the next VM", () =>
  started({}, async ({ vmm, client, create, serial, vsock }) => {
    await create();
    await client.vm.boot();
    await vmm.crash();
    assert.deepEqual([serial, vsock].map(existsSync), [true, true]);
    const next = await FakeVmm.start({ files: "any" });
    const { vm } = createClient(next.socketPath);
    await vm.create({
      payload: { kernel: "/boot/vmlinux" },
      vsock: { cid: 3, socket: vsock },
    });
    await assert.rejects(
      vm.boot(),
      (error: ApiError) =>
        error.messages.at(-1) === "Address already in use (os error 98)",
    );
    await next.close();
  }));

test("terminate() removes the sockets", () =>
  started({}, async ({ vmm, client, create, serial, vsock }) => {
    await create();
    await client.vm.boot();
    await vmm.terminate();
    assert.deepEqual([serial, vsock].map(existsSync), [false, false]);
  }));

test("a vsock socket is refused where a file exists, also with files: any", () =>
  started({}, async ({ client, create, vsock }) => {
    writeFileSync(vsock, "");
    await create();
    await assert.rejects(client.vm.boot(), ApiError);
    assert.ok(existsSync(vsock));
  }));
