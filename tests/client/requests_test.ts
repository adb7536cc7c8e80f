import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import { createClient } from "../../mod.ts";
import { bodyOf, pathOf, reply, serve } from "../support/server.ts";

interface Operation {
  operationId: string;
  requestBody?: unknown;
  "x-returns": string;
}

/** The spec itself, not what is made of it. */
const spec = parse(
  readFileSync(
    new URL("../../spec/cloud-hypervisor.yaml", import.meta.url),
    "utf8",
  ),
) as { paths: Record<string, Record<string, Operation>> };

test("every operation of the spec reaches the wire", async () => {
  const server = await serve((socket) =>
    socket.write(reply(200, '{"id":"a"}'))
  );
  const client = createClient(server.path) as unknown as Record<
    string,
    Record<string, (...args: unknown[]) => Promise<unknown>>
  >;
  const operations = Object.entries(spec.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method,
      ...operation,
    }))
  );
  assert.equal(operations.length, 31);
  for (const { path, method, operationId, requestBody } of operations) {
    const [group, name] = operationId.split(".") as [string, string];
    const body = { marker: operationId };
    await client[group]![name]!(...(requestBody ? [body] : []));
    const request = server.requests.at(-1)!;
    assert.ok(request.startsWith(`${method.toUpperCase()} `), request);
    assert.equal(pathOf(request), `/api/v1${path}`);
    assert.equal(bodyOf(request), requestBody ? JSON.stringify(body) : "");
  }
  assert.equal(server.requests.length, operations.length);
  await server.idle();
  await server.close();
});
