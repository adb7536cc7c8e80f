/** Tests that run only where something is present. */
import { test, type TestContext } from "node:test";
import { SKIP_MARK } from "../../tools/test/case.ts";

/** Registers a test: `test()` of node:test without options. */
export type RegisterTest = (
  name: string,
  body: (t: TestContext) => void | Promise<void>,
) => void;

/**
 * Returns a function to use in place of `test()`. Where the condition does not
 * hold, each test that it registers is skipped for the given reason.
 */
export function testIf(condition: boolean, reason: string): RegisterTest {
  if (condition) return (name, body) => void test(name, body);
  return (name) => void test(name + SKIP_MARK + reason, { skip: true });
}
