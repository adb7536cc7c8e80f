/**
 * The examples that begin with how they are run, each with the fake, with a
 * real VMM, and compiled to a program of one file.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { guestElf } from "../examples/guest.ts";
import { type Form, type Script, start } from "./script.ts";
import { unless } from "./skip.ts";
import { inDirectory, isRunning, programs, smallVm, sparse } from "./vmms.ts";

type Recipe = (directory: string, form: Form) => Promise<void>;

const RECIPES: { readonly [name: string]: Recipe } = {
  async first(directory, form) {
    const { payload } = smallVm(directory);
    const script = start("first", [payload!.kernel!], directory, form, {
      FAKE_VMM_GUEST: '{"powersOffAfterMs":1}',
    });
    const text = await script.ended(0);
    assert.match(
      text,
      /^Running: 1 vCPU, 256 MiB, VMM \d+\nstopped by (power-button|vm)/,
    );
    assert.equal(isRunning(Number(/VMM (\d+)/.exec(text)![1])), false);
  },

  async runner(directory, form) {
    const image = sparse(join(directory, "image"));
    const run = (line: string, env = {}): Script => {
      const kernel = join(directory, "job.elf");
      writeFileSync(kernel, guestElf(line, "power off"));
      const args = [image, "make test", kernel];
      return start("runner", args, directory, form, {
        FAKE_VMM_GUEST: JSON.stringify({ says: line, endsAfterMs: 1 }),
        ...env,
      });
    };
    const text = await run("hello\r\njob-exit=0\r\n").ended(0);
    assert.match(text, /^hello/);
    // The fake of the example has a script of its own.
    if (!form.binary && !form.compiled) return;
    await run("job-exit=3\r\n").ended(3);
    assert.match(
      await run("too early\r\n").ended(125),
      /^too early[^]*the guest ended without a result/,
    );
    const missing = start("runner", ["/missing", "job"], directory, form);
    assert.match(await missing.ended(125), /no such file[^]*'\/missing'/i);
  },
};

const [, real] = programs;
const forms: readonly (Form & { skip: () => string | false })[] = [
  { name: "the fake", skip: () => false },
  {
    name: "a real VMM",
    binary: process.env["CLOUD_HYPERVISOR"] ?? "",
    skip: real!.skip,
  },
];

for (const { skip, ...form } of forms) {
  for (const [name, recipe] of Object.entries(RECIPES)) {
    test(
      `examples/${name}.ts runs with ${form.name}`,
      { skip: skip() },
      () => inDirectory((directory) => recipe(directory, form)),
    );
  }
}

test("examples run as programs of one file", {
  skip: unless(
    "Bun" in globalThis ||
      "Deno" in globalThis && Boolean(process.env["DENORT_BIN"]),
    "Bun compiles; Deno needs its runtime in DENORT_BIN, Node has no such thing",
  ),
}, async (t) => {
  for (const [name, recipe] of Object.entries(RECIPES)) {
    await t.test(
      name,
      () =>
        inDirectory((directory) =>
          recipe(directory, { name: "a program", compiled: true })
        ),
    );
  }
});
