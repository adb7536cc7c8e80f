import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { run, runAndCount } from "../../tools/test/run.ts";
import { compare } from "../../tools/test/compare.ts";
import type { Result } from "../../tools/test/case.ts";
import { runFile } from "../../tools/test/file.ts";
import { runtimes } from "../../tools/test/runtimes.ts";
import { tableOf } from "../../tools/test/vmm_table.ts";

const LIMITS = { testMs: 60_000, fileMs: 120_000 };
const SKIP = fileURLToPath(new URL("../support/skip.ts", import.meta.url));

test("runFile() counts top-level tests alone", async (t) => {
  const results = await ran(
    t,
    `
    test("one", () => {});
    test("a > b", () => {});
    test("parent", async (t) => {
      await t.test("child", (t) => t.test("grandchild", () => {}));
      await t.test("child", () => {});
    });`,
  );
  assert.deepEqual(outcomes(results), [
    "one: passed",
    "a > b: passed",
    "parent: passed",
  ]);
});

test("runFile() tells why a test failed", async (t) => {
  const results = await ran(
    t,
    `
    const all = "<&>\\"'".repeat(2000);
    test("sync", () => { throw new Error("sync " + all); });
    test("async", async () => { await 0; throw new Error("thrown late"); });
    test("parent", async (t) => {
      await t.test("child", () => { throw new Error("of a child"); });
    });
    test("after its child", async (t) => {
      await t.test("child", () => {});
      throw new Error("of a parent");
    });
    test("hook", (t) => { t.after(() => { throw new Error("of a hook"); }); });`,
  );
  const errors = [
    "<&>\"'".repeat(2000),
    "thrown late",
    "of a child",
    "of a parent",
    "of a hook",
  ];
  assert.equal(results.length, errors.length);
  for (const [index, { outcome, error }] of results.entries()) {
    assert.equal(outcome, "failed");
    assert.ok(error?.includes(errors[index]!), error);
  }
});

test("runFile() tells why a test was skipped", async (t) => {
  const results = await ran(
    t,
    `
    testIf(false, "no \\"kvm\\"")("one", () => { throw new Error("ran"); });
    testIf(true, "never")("two", () => {});
    testIf(false, "not root")("three", () => {});`,
  );
  assert.deepEqual(outcomes(results), [
    'one: skipped, no "kvm"',
    "two: passed",
    "three: skipped, not root",
  ]);
});

test("runFile() fails a file that skips without a reason", async (t) => {
  for (const option of ["skip: true", 'skip: "why"', "todo: true"]) {
    const results = await ran(
      t,
      `test("one", { ${option} }, () => {}); test("two", () => {});`,
    );
    assert.deepEqual(outcomes(results), ["one: failed", "two: passed"]);
    assert.match(results[0]!.error!, /^skipped without a reason/);
  }
});

const BROKEN = {
  "throws while it loads": 'test("one", () => {}); throw new Error("loading");',
  "does not find a module": 'import "./nowhere.ts"; test("one", () => {});',
  "does not parse": 'test("one", () => { const = 1; });',
  "has no test": "",
  "is killed": `test("one", async () => {
    process.kill(process.pid, "SIGKILL");
    await new Promise(() => setInterval(() => {}, 1000));
  });`,
};

for (const [what, source] of Object.entries(BROKEN)) {
  test(`runFile() fails a file that ${what}`, async (t) => {
    assert.notEqual(whole(await ran(t, source)), "");
  });
}

test("runFile() fails a file with an error that no test catches", async (t) => {
  for (const late of ["throw error;", "Promise.reject(error);"]) {
    const results = await ran(
      t,
      `test("one", async () => {
        const error = new Error("astray");
        setTimeout(() => { ${late} }, 0);
        await new Promise((resolve) => setTimeout(resolve, 50));
      });`,
    );
    assert.ok(results.some(({ outcome }) => outcome === "failed"), late);
  }
});

test("runFile() kills a file that does not end", async (t) => {
  const results = await ran(
    t,
    `test("one", () => new Promise(() => setInterval(() => {}, 1000)));`,
    { testMs: 60_000, fileMs: 2000 },
  );
  assert.match(whole(results), /^still running after 2000 ms/);
});

test("run() fails where a test ended a runtime early", async (t) => {
  const root = folder(t, {
    "exit_test.ts": `test("one", () => {});
      test("two", async () => { await 0; process.exit(0); });
      test("three", () => {});`,
  });
  const lines: string[] = [];
  const selection = { only: [], files: [] };
  assert.equal(await run(root, selection, LIMITS, (s) => lines.push(s)), false);
  for (const { name } of runtimes) {
    const failed = lines.some((line) =>
      line.startsWith(name) && !line.includes(" 0 failed") ||
      line.endsWith(`did not run on ${name}`)
    );
    assert.ok(failed, lines.join("\n"));
  }
});

test("run() ends with the sum of the runtimes", async (t) => {
  const root = folder(t, {
    "a_test.ts": `test("one", () => {});
      testIf(false, "no kvm")("two", () => {});`,
    "b_test.ts": `test("one", () => {});`,
    "b.ts": "throw new Error();",
  });
  const lines: string[] = [];
  const selection = { only: [], files: [] };
  assert.equal(await run(root, selection, LIMITS, (s) => lines.push(s)), true);
  assert.deepEqual(lines.filter((line) => line.startsWith(" ")), [
    "  skipped  tests/a_test.ts: two: no kvm (deno, bun, node)",
  ]);
  assert.equal(lines.at(-1), "6 passed, 0 failed, 3 skipped");
});

test("run() repeats the failures just before the sum", async (t) => {
  const root = folder(t, {
    "a_test.ts": `test("one", () => { throw new Error("why"); });
      testIf(false, "no kvm")("two", () => {});`,
  });
  const lines: string[] = [];
  const selection = { only: ["node"], files: [] };
  assert.equal(await run(root, selection, LIMITS, (s) => lines.push(s)), false);
  const own = lines.filter((line) => /^ {2}\S/.test(line));
  assert.deepEqual(own, [
    "  again    tests/a_test.ts (node)",
    "  failed   tests/a_test.ts: one",
    "  skipped  tests/a_test.ts: two: no kvm (node)",
    "  failed   tests/a_test.ts: one (node)",
  ]);
  assert.match(lines.at(lines.lastIndexOf(own[3]!) + 1)!, /^ {4}.*why/);
  assert.equal(lines.at(-1), "0 passed, 1 failed, 1 skipped");
});

test("run() fails a runtime in which no test ran", async (t) => {
  const lines: string[] = [];
  const selection = { only: [], files: ["nowhere"] };
  const passed = await run(
    folder(t, { "a_test.ts": "" }),
    selection,
    LIMITS,
    (line) => lines.push(line),
  );
  assert.equal(passed, false);
  assert.equal(lines.at(-1), "0 passed, 3 failed, 0 skipped");
});

test("run() runs the tests that have words in their names", async (t) => {
  const root = folder(t, {
    "a_test.ts": `test("one of two words", () => {});
      testIf(false, "no kvm")("two words", () => {});
      test("one", () => { throw new Error(); });`,
    "b_test.ts": `test("one", () => { throw new Error(); });`,
  });
  const selection = { only: [], files: [], words: "two words" };
  const all = await runAndCount(root, selection, LIMITS, () => {});
  assert.deepEqual(
    all.map(({ runtime, name, outcome }) => [runtime, name, outcome].join()),
    runtimes.flatMap(({ name }) => [
      `${name},one of two words,passed`,
      `${name},two words,skipped`,
    ]),
  );
});

test("tableOf() counts the tests of each VMM, and gives each reason once", () => {
  const test = { file: "f", name: "one", runtime: "deno" };
  const passed = { ...test, outcome: "passed" } as const;
  const failed = { ...test, outcome: "failed", runtime: "node" } as const;
  const skipped = { ...test, outcome: "skipped", reason: "too old" } as const;
  assert.deepEqual(
    tableOf([
      { release: "v2.0", results: [passed, failed] },
      { release: "v1.0", results: [skipped, { ...skipped, runtime: "node" }] },
    ]),
    [
      "| release | deno | node |",
      "| --- | --- | --- |",
      "| v2.0 | 1 passed, 0 failed, 0 skipped | 0 passed, 1 failed, 0 skipped |",
      "| v1.0 | 0 passed, 0 failed, 1 skipped | 0 passed, 0 failed, 1 skipped |",
      "",
      "- 1 test skipped on v1.0: too old",
    ],
  );
});

test("compare() finds a test that only some runtimes ran", () => {
  const one = { file: "f", name: "one", outcome: "passed" } as const;
  const two = { ...one, name: "two" };
  const broken = { ...one, name: "", outcome: "failed" } as const;
  const found = compare(
    new Map<string, Result[]>([
      ["deno", [one, one, two]],
      ["bun", [one, two]],
      ["node", [broken]],
    ]),
  );
  assert.deepEqual(found, [
    { ...one, outcome: "failed", error: "did not run on bun" },
  ]);
});

/** The results of a test file on the runtime of this test. */
function ran(
  t: TestContext,
  source: string,
  limits = LIMITS,
): Promise<Result[]> {
  const own = process.versions["deno"]
    ? "deno"
    : process.versions["bun"]
    ? "bun"
    : "node";
  const runtime = runtimes.find(({ name }) => name === own)!;
  const root = folder(t, { "x_test.ts": source });
  return runFile(runtime, root, "tests/x_test.ts", limits);
}

function folder(t: TestContext, sources: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "fixture-"));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, "tests"));
  writeFileSync(join(root, "package.json"), '{ "type": "module" }');
  for (const [name, source] of Object.entries(sources)) {
    const head = `import process from "node:process";
import { test } from "node:test";
import { testIf } from ${JSON.stringify(SKIP)};
void process, test, testIf;
`;
    writeFileSync(join(root, "tests", name), head + source);
  }
  return root;
}

function outcomes(results: Result[]): string[] {
  return results.map(({ name, outcome, reason }) =>
    [`${name}: ${outcome}`, ...reason === undefined ? [] : [reason]].join(", ")
  );
}

/** The error of the file as a whole. */
function whole(results: Result[]): string {
  return results.find(({ name }) => name === "")?.error ?? "";
}
