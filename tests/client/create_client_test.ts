/** Requests and responses of calls, compared with the spec. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import {
  ApiError,
  type CallOptions,
  ConnectionError,
  createClient,
} from "../../mod.ts";
import { bodyOf, pathOf, reply, serve, serving } from "../support/server.ts";

interface Operation {
  operationId: string;
  requestBody?: unknown;
}

type Calls = Record<
  string,
  Record<string, (...args: unknown[]) => Promise<unknown>>
>;

const SPEC = new URL("../../spec/cloud-hypervisor.yaml", import.meta.url);

function operations(): Operation[] {
  const spec = parse(readFileSync(SPEC, "utf8")) as {
    paths: Record<string, Record<string, Operation>>;
  };
  return Object.values(spec.paths).flatMap((methods) => Object.values(methods));
}

test("createClient() sends bodies whole, with their length in bytes", () =>
  serving(
    (socket) => socket.write(reply(200, '{"id":"a"}')),
    async ({ path, requests }) => {
      const client = createClient(path) as unknown as Calls;
      const marker = "é€𝄞";
      for (const { operationId, requestBody } of operations()) {
        const [group, name] = operationId.split(".") as [string, string];
        await client[group]![name]!(...(requestBody ? [{ marker }] : []));
        const request = requests.at(-1)!;
        const length = /^content-length: *(\d+)\r$/im.exec(request)?.[1];
        assert.doesNotMatch(request, /^(transfer-encoding|expect):/im);
        if (requestBody) {
          const text = JSON.stringify({ marker });
          assert.equal(bodyOf(request), text, operationId);
          assert.equal(length, `${Buffer.byteLength(text)}`, operationId);
          assert.match(request, /^content-type: application\/json\r$/im);
        } else {
          assert.equal(bodyOf(request), "", operationId);
          assert.equal(length ?? "0", "0", operationId);
          assert.doesNotMatch(request, /^content-type:/im);
        }
      }
    },
  ));

test("createClient() reads the four forms of an error body", () => {
  const forms: [body: string | undefined, code: string, messages: string[]][] =
    [
      ['["Error from API","VM is not created"]', "not_created", [
        "Error from API",
        "VM is not created",
      ]],
      ["VM is not running", "not_running", ["VM is not running"]],
      ['{ "error": "Invalid request.\nAll previous" }', "other", [
        "Invalid request.\nAll previous",
      ]],
      [undefined, "invalid_json", []],
    ];
  const answers = forms.map(([body]) =>
    // What has no body says so: the connection stays open.
    body === undefined
      ? "HTTP/1.1 400 \r\nContent-Length: 0\r\n\r\n"
      : reply(400, body)
  );
  return serving(
    (socket) => socket.write(answers.shift()!),
    async ({ path }) => {
      const { vm } = createClient(path);
      for (const [, code, messages] of forms) {
        await assert.rejects(vm.boot(), (error) => {
          assert.ok(error instanceof ApiError, `${error}`);
          assert.equal(error.code, code);
          assert.equal(error.status, 400);
          assert.deepEqual(error.messages, messages);
          return true;
        });
      }
    },
  );
});

test("vmm.shutdown() takes no other failure for success", async () => {
  const server = await serve((socket) => socket.write(reply(500, '["no"]')));
  const { vmm } = createClient(server.path);
  await assert.rejects(vmm.shutdown(), ApiError);
  await server.close();
  const missing = (error: unknown): boolean =>
    error instanceof ConnectionError && error.code === "socket_missing";
  await assert.rejects(vmm.shutdown(), missing);
});

test("vmm.shutdown() alone takes a closed connection for success", () =>
  serving((socket) => socket.destroy(), async ({ path, requests }) => {
    const client = createClient(path) as unknown as Calls;
    for (const { operationId, requestBody } of operations()) {
      const [group, name] = operationId.split(".") as [string, string];
      const call = client[group]![name]!(...(requestBody ? [{}] : []));
      if (operationId === "vmm.shutdown") assert.equal(await call, undefined);
      else await assert.rejects(call, { code: "closed" }, operationId);
    }
    assert.equal(requests.length, operations().length);
  }));

test("the operations are functions that can be taken apart and wrapped", () =>
  serving(
    (socket) => socket.write(reply(204)),
    async ({ path, requests }) => {
      const client = createClient(path);
      const { boot } = client.vm;
      await boot();
      const booted: string[] = [];
      const wrapped = {
        ...client,
        vm: {
          ...client.vm,
          async boot(options?: CallOptions) {
            booted.push("before");
            await boot(options);
          },
        },
      };
      await wrapped.vm.boot();
      await wrapped.vm.pause();
      assert.deepEqual(booted, ["before"]);
      assert.deepEqual(requests.map(pathOf), [
        "/api/v1/vm.boot",
        "/api/v1/vm.boot",
        "/api/v1/vm.pause",
      ]);
      wrapped.close();
      await assert.rejects(boot(), { code: "invalid_request" });
    },
  ));
