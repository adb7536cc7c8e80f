/** The project stays small enough to be read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { figures } from "../../tools/figures.ts";

test("the project keeps its limits of size", () => {
  const { longest, published, readmeLines, bundle } = figures();
  // 0.70 MB before ./guest, ./command-line and the rules of a boot.
  assert.ok(published > 500_000 && published <= 1_100_000, `${published}`);
  assert.equal(longest.length, 5);
  assert.deepEqual(longest.filter(([, lines]) => lines > 250), []);
  assert.ok(readmeLines > 50 && readmeLines <= 200, `${readmeLines} lines`);
  assert.ok(bundle > 10_000 && bundle <= 26 * 1024, `${bundle} bytes`);
});
