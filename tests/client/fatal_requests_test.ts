/** What is taken for fatal, and what only looks like it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, InvalidRequestError } from "../../mod.ts";
import { reply, serving } from "../support/server.ts";

const CREATIONS: [field: string | undefined, body: object][] = [
  ["console.file", { console: { mode: "File", file: null } }],
  ["serial.file", { serial: { mode: "File", file: null } }],
  ["debug_console.file", { debug_console: { mode: "File", file: null } }],
  ["serial.socket", { serial: { mode: "Socket", socket: null } }],
  ["serial.socket", { serial: { mode: "Socket", file: "/log" } }],
  ["memory.size", { memory: { size: 0, zones: null } }],
  ["memory.size", { memory: { size: -0 } }],
  [undefined, {}],
  [undefined, { console: null, serial: null, memory: null }],
  [undefined, { console: { mode: "Off" }, serial: { mode: "Null" } }],
  [undefined, { console: { mode: "Tty" }, serial: { mode: "Pty" } }],
  [undefined, { console: { mode: "File", file: "/log" } }],
  [undefined, { debug_console: { mode: "File", file: "/log" } }],
  [undefined, { serial: { mode: "Socket", socket: "/run/serial" } }],
  [undefined, { memory: { size: 1n } }],
  [undefined, { memory: {} }],
];

/** A host that Rust does not parse as an address is looked up. */
const RECEIVERS: [fatal: boolean, url: string][] = [
  [true, "tcp:localhost:1"],
  [true, "tcp:1:2"],
  [true, "tcp::1"],
  [true, "tcp:1.2.3:1"],
  [true, "tcp:256.0.0.1:1"],
  [true, "tcp:999.999.999.999:1"],
  [true, "tcp:01.2.3.4:1"],
  [true, "tcp:[::g]:1"],
  [true, "tcp:[:::]:1"],
  [true, "tcp:[1:2:3]:1"],
  [false, "tcp:0.0.0.0:1"],
  [false, "tcp:255.255.255.255:65535"],
  [false, "tcp:[::]:1"],
  [false, "tcp:[2001:DB8::1]:1"],
  [false, "tcp:[::ffff:1.2.3.4]:1"],
  [false, "unix:/tmp/migration"],
  [false, "unix:tcp:localhost:1"],
];

function fatal(field: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof InvalidRequestError, `${error}`);
    assert.equal(error.code, "fatal_request");
    assert.equal(error.field, field);
    assert.match(error.message, /allowFatal/);
    return true;
  };
}

test("vm.create() refuses what is fatal, and that alone", () =>
  serving((socket) => socket.write(reply(204)), async (server) => {
    const { vm } = createClient(server.path);
    const brave = createClient(server.path, { allowFatal: true });
    for (const [field, body] of CREATIONS) {
      const before = server.requests.length;
      if (field === undefined) await vm.create(body);
      else {
        await assert.rejects(vm.create(body), fatal(field));
        assert.equal(server.requests.length, before);
        await brave.vm.create(body);
      }
      assert.equal(server.requests.length, before + 1);
    }
  }));

test("vm.receiveMigration() refuses what is fatal, and that alone", () =>
  serving((socket) => socket.write(reply(204)), async (server) => {
    const { vm } = createClient(server.path);
    const brave = createClient(server.path, { allowFatal: true });
    for (const [isFatal, receiver_url] of RECEIVERS) {
      const before = server.requests.length;
      const call = vm.receiveMigration({ receiver_url });
      if (isFatal) {
        await assert.rejects(call, fatal("receiver_url"), receiver_url);
        assert.equal(server.requests.length, before);
        await brave.vm.receiveMigration({ receiver_url });
      } else await call;
      assert.equal(server.requests.length, before + 1);
    }
  }));

test("other operations take the same bodies", () =>
  serving((socket) => socket.write(reply(204)), async (server) => {
    const { vm } = createClient(server.path);
    await vm.sendMigration({ destination_url: "tcp:localhost:1" });
    await vm.addDisk({ memory: { size: 0 } } as never);
    assert.equal(server.requests.length, 2);
  }));
