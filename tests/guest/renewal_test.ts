/** A console connects anew where the VMM may keep the rest of a long output. */
import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import type { Client } from "../../mod.ts";
import { openConsole } from "../../src/guest/mod.ts";
import { inDirectory } from "../support/vmms.ts";

test("a console connects anew after much output, except before v53.0", () =>
  inDirectory(async (directory) => {
    const old = await serialPort(join(directory, "old"));
    const recent = await serialPort(join(directory, "recent"));
    const spared = await openConsole(vmmOf(old, "v52.0"));
    await spared.waitFor(OUTPUT);
    // Opened later, so this one is renewed later than the other would be.
    const renewed = await openConsole(vmmOf(recent, "v53.0"));
    await recent.secondClient;
    assert.equal(recent.count(), 2);
    assert.equal(old.count(), 1);
    await spared.close();
    await renewed.close();
    await old.close();
    await recent.close();
  }));

const OUTPUT = `${"much ".repeat(40)}output\r\n`;

/** A serial port that writes to its first client, and has one at a time. */
async function serialPort(path: string) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const clients: Socket[] = [];
  const server = createServer((client) => {
    clients.at(-1)?.end();
    clients.push(client.on("error", () => {}).resume());
    if (clients.length === 1) client.write(OUTPUT);
    else resolve();
  });
  await new Promise<void>((listening) => server.listen(path, listening));
  return {
    path,
    secondClient: promise,
    count: () => clients.length,
    close: () => new Promise((closed) => server.close(closed)),
  };
}

/** A VMM of a release, of which the console uses no more than this. */
function vmmOf({ path }: { path: string }, release: string) {
  const info = {
    config: { serial: { mode: "Socket", socket: path } },
    state: "Running",
  };
  const vm = { info: () => Promise.resolve(info) };
  const client = { vm, release: () => Promise.resolve(release) };
  return { client: client as unknown as Client };
}
