/** A VMM that means harm, and secrets that must not get into errors. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { inspect } from "node:util";
import { type Client, ConnectionError, createClient } from "../../mod.ts";
import { reply, type Script, serving } from "../support/server.ts";

const SECRET = "c0ffee-not-for-any-log";

/** The responses to a body with secrets, by the code of the error. */
const ENDS: { readonly [code: string]: Script } = {
  closed: (socket) => socket.end(),
  not_http: (socket) => socket.end("SSH-2.0-OpenSSH_9.2p1 Debian\r\n"),
  deadline: () => {},
  other: (socket) => socket.write(reply(500, '["Error from API","no"]')),
  invalid_json: (socket) => socket.write(reply(400, '["Bad Request"]')),
};

for (const [code, script] of Object.entries(ENDS)) {
  test(`an error of ${code} tells no secret`, async () => {
    const directory = mkdtempSync(join(tmpdir(), "chv-tls-"));
    writeFileSync(join(directory, "server-key.pem"), SECRET);
    process.env["CHV_TEST_SECRET"] = SECRET;
    try {
      await serving(script, async ({ path }) => {
        const { vm } = createClient(path, { timeoutMs: 300 });
        const calls = [
          () =>
            vm.create({ payload: { kernel: "/k", cmdline: `pw=${SECRET}` } }),
          () =>
            vm.sendMigration({
              destination_url: "tcp:127.0.0.1:1",
              tls_dir: directory,
            }),
        ];
        for (const call of calls) {
          await assert.rejects(call(), (error) => {
            assert.equal((error as { code?: unknown }).code, code);
            tellsNothing(error);
            return true;
          });
        }
      });
    } finally {
      delete process.env["CHV_TEST_SECRET"];
      rmSync(directory, { recursive: true });
    }
  });
}

test("a refusal of the client's own tells no secret", async () => {
  const { vm } = createClient("/nowhere/api.sock");
  const payload = { cmdline: SECRET };
  const circular: Record<string, unknown> = { payload, [SECRET.at(0)!]: 1 };
  circular["self"] = circular;
  const bodies: [field: string, body: unknown][] = [
    ["memory.size", { payload, memory: { size: NaN } }],
    ["console.file", { payload, console: { mode: "File" } }],
    ["body", circular],
  ];
  for (const [field, body] of bodies) {
    await assert.rejects(vm.create(body as never), (error) => {
      assert.equal((error as { field?: unknown }).field, field);
      tellsNothing(error);
      return true;
    });
  }
});

/** Messages, stacks, causes and all other fields. */
function tellsNothing(error: unknown): void {
  const told = inspect(error, { depth: 20, showHidden: true });
  assert.ok(!told.includes(SECRET), told);
}

const EVIL = '{"polluted":1}';
const IN_EVERY_PLACE = [
  `{"__proto__":${EVIL}}`,
  `{"constructor":{"prototype":${EVIL}},"prototype":${EVIL}}`,
  `{"_disk0":{"__proto__":${EVIL},"a":18446744073709551615}}`,
  `[{"__proto__":${EVIL}},["__proto__"]]`,
  `{"toString":1,"valueOf":2,"toJSON":3,"then":4,"__proto__":null}`,
  `{"a":${"[".repeat(10_000)}${"]".repeat(10_000)},"n":18446744073709551615}`,
  `{"__proto__":`.repeat(10_000) + "1" + "}".repeat(10_000),
];

const READS: readonly ((client: Client) => Promise<unknown>)[] = [
  ({ vmm }) => vmm.ping(),
  ({ vm }) => vm.info(),
  ({ vm }) => vm.counters(),
  ({ vm }) => vm.addDisk({ path: "/a" }),
];

for (const status of [200, 500] as const) {
  test(`an answer of ${status} changes no prototype`, async () => {
    const prototypes = [Object.prototype, Array.prototype, Error.prototype];
    const before = prototypes.map((one) => Reflect.ownKeys(one));
    for (const text of IN_EVERY_PLACE) {
      await serving(
        (socket) => socket.write(reply(status, text)),
        async ({ path }) => {
          const client = createClient(path);
          for (const read of READS) {
            const value = await read(client).catch(({ code }) => code);
            const codes = status === 200 ? ["not_http"] : ["other"];
            if (typeof value === "string") assert.ok(codes.includes(value));
            else assert.equal(status, 200);
            assert.equal((value as { polluted?: unknown }).polluted, undefined);
          }
        },
      );
    }
    assert.deepEqual(prototypes.map((one) => Reflect.ownKeys(one)), before);
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });
}

test("a connection that ends names what is known to kill a VMM", () =>
  serving((socket) => socket.destroy(), async ({ path }) => {
    const { vm } = createClient(path);
    const cmdline = "a".repeat(250 * 1024);
    const lethal: [call: () => Promise<unknown>, said: RegExp][] = [
      [
        () => vm.create({ payload: { kernel: "/k", cmdline } }),
        /249 KB kills some builds/,
      ],
      [
        () => vm.sendMigration({ destination_url: "unix:/a", local: true }),
        /shared memory kills some builds/,
      ],
    ];
    for (const [call, said] of lethal) {
      await assert.rejects(call(), (error) => {
        assert.ok(error instanceof ConnectionError, `${error}`);
        assert.equal(error.code, "closed");
        assert.match(error.message, said);
        return true;
      });
    }
    await assert.rejects(vm.boot(), ({ message }) => !/kills/.test(message));
  }));
