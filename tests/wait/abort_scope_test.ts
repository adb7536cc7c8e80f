import assert from "node:assert/strict";
import { test } from "node:test";
import { AbortScope } from "../../src/wait/abort_scope.ts";

test("AbortScope.race() handles a rejection after the end of the scope", async () => {
  const scope = new AbortScope({});
  scope.close();
  await assert.rejects(scope.race(Promise.reject(new Error("astray"))), {
    name: "AbortError",
  });
});
