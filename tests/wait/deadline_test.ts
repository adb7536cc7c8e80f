/** When a call gives up, on a server that says nothing. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { createClient, DeadlineError } from "../../mod.ts";
import { pathOf, reply, type Script, serving } from "../support/server.ts";

/** Answers vm.boot alone. */
const silent: Script = (socket, request) => {
  if (pathOf(request).endsWith("boot")) socket.write(reply(204));
};

/** The server has seen `count` requests. */
async function seen(requests: string[], count: number): Promise<void> {
  while (requests.length < count) await new Promise(setImmediate);
}

test("timeoutMs includes the wait for a connection", () =>
  serving(silent, async ({ path, requests }) => {
    const { vm } = createClient(path, { maxConnections: 1 });
    const controller = new AbortController();
    const first = vm.info({ signal: controller.signal });
    await seen(requests, 1);
    await assert.rejects(vm.pause({ timeoutMs: 20 }), (error) => {
      assert.ok(error instanceof DeadlineError);
      assert.equal(error.name, "TimeoutError");
      assert.equal(error.code, "deadline");
      assert.equal(error.timeoutMs, 20);
      assert.equal(error.operation, "vm.pause");
      assert.equal(error.socketPath, path);
      return true;
    });
    // The first call still has the only connection.
    assert.deepEqual(requests.map(pathOf), ["/api/v1/vm.info"]);
    controller.abort("enough");
    await assert.rejects(first, (error) => error === "enough");
    await vm.boot();
  }));

test("timeoutMs of a call goes before that of the client", () =>
  serving(silent, async ({ path }) => {
    const ms = (timeoutMs: number) => (error: unknown) =>
      error instanceof DeadlineError && error.timeoutMs === timeoutMs;
    const all = createClient(path, { timeoutMs: 20 });
    await assert.rejects(all.vm.info(), ms(20));
    await assert.rejects(all.vm.info({ timeoutMs: 21 }), ms(21));
    const some = createClient(path, {
      timeoutMs: { "vm.info": 22, "vm.add-disk": 23 },
    });
    await assert.rejects(some.vm.info(), ms(22));
    await assert.rejects(some.vm.addDisk({ path: "/a" }), ms(23));
    await assert.rejects(some.vm.pause({ timeoutMs: 24 }), ms(24));
  }));

test("timeoutMs of 2^31 and more is none", () =>
  serving(silent, async ({ path, requests }) => {
    const { vm } = createClient(path, { timeoutMs: 2 ** 31 });
    const controller = new AbortController();
    const { signal } = controller;
    const calls = [
      vm.info({ signal }),
      vm.info({ signal, timeoutMs: Infinity }),
      vm.info({ signal, timeoutMs: 2 ** 31 - 1 }),
    ];
    const outcomes = Promise.allSettled(calls);
    await seen(requests, 3);
    // A timer that overflowed would have fired by then.
    await assert.rejects(vm.pause({ timeoutMs: 20 }), DeadlineError);
    controller.abort("enough");
    for (const outcome of await outcomes) {
      assert.deepEqual(outcome, { status: "rejected", reason: "enough" });
    }
  }));

test("an abort within the body rejects with the signal's reason", async () => {
  let socket: Socket;
  let read!: () => void;
  const reading = new Promise<void>((resolve) => read = resolve);
  const script: Script = (to, request) => {
    if (pathOf(request).endsWith("boot")) return to.write(reply(204));
    socket = to;
    const head = "HTTP/1.1 200 \r\nContent-Length: 16000000\r\n\r\n";
    // More than the kernel holds: the client has read the headers by then.
    socket.write(head + " ".repeat(8_000_000), () => read());
  };
  await serving(script, async ({ path }) => {
    const { vm } = createClient(path, { maxConnections: 1 });
    for (const timeoutMs of [60_000, Infinity]) {
      const controller = new AbortController();
      const reason = { why: "enough" };
      const call = vm.info({ signal: controller.signal, timeoutMs });
      await reading;
      controller.abort(reason);
      await assert.rejects(call, (error) => error === reason);
      await vm.boot();
    }
  });
});

test("an aborted call leaves the reasons of signals as they are", () =>
  serving(silent, async ({ path, requests }) => {
    const { vm } = createClient(path);
    const controllers = [undefined, null, 0, "text", new Error("own")].map(
      (reason) => ({ controller: new AbortController(), reason }),
    );
    for (const { controller, reason } of controllers) {
      const { signal } = controller;
      const before = requests.length;
      const call = vm.info({ signal });
      const outcome = Promise.allSettled([call]);
      await seen(requests, before + 1);
      controller.abort(reason);
      const [{ reason: got }] = await outcome as [PromiseRejectedResult];
      assert.ok(Object.is(got, signal.reason), `${got}`);
      if (reason === undefined) assert.equal(got.name, "AbortError");
      else assert.ok(Object.is(got, reason), `${got}`);
    }
  }));

test("a call releases the signal that it was given", () =>
  serving(silent, async ({ path }) => {
    const { vm } = createClient(path, { maxConnections: 1 });
    const { signal } = new AbortController();
    const listeners = new Set<unknown>();
    const add = signal.addEventListener.bind(signal) as typeof signal[
      "addEventListener"
    ];
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (type: string, listener: never, how: never) => {
      listeners.add(listener);
      add(type, listener, how);
    };
    signal.removeEventListener = (type: string, listener: never) => {
      listeners.delete(listener);
      remove(type, listener);
    };
    await Promise.all([vm.boot({ signal }), vm.boot({ signal })]);
    const late = vm.info({ signal, timeoutMs: 20 });
    await assert.rejects(late, DeadlineError);
    assert.equal(listeners.size, 0);
  }));
