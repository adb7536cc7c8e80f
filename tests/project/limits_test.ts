/** The project stays small enough to be read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { figures } from "../../tools/figures.ts";

test("the project keeps its limits of size", () => {
  const { longest, published, readmeLines, bundle } = figures();
  // 1.09 MB before clones, owners of many VMs, releases and moves in parts.
  assert.ok(published > 500_000 && published <= 1_400_000, `${published}`);
  assert.equal(longest.length, 5);
  assert.deepEqual(longest.filter(([, lines]) => lines > 250), []);
  assert.ok(readmeLines > 50 && readmeLines <= 200, `${readmeLines} lines`);
  assert.ok(bundle > 10_000 && bundle <= 28.5 * 1024, `${bundle} bytes`);
});
