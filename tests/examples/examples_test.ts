/** Every example, as a user runs it: a new example needs one row of the table. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import {
  EXAMPLES,
  type Form,
  killScripts,
  type Recipe,
} from "../support/script.ts";
import { LOSES_OUTPUT } from "../guest/support.ts";
import { BINARY, olderThan } from "../support/real_vmm.ts";
import { type RegisterTest, testIf } from "../support/skip.ts";
import { hasSshd, NO_SSHD } from "../support/sshd.ts";
import { inDirectory, programs } from "../support/vmms.ts";
import {
  backup,
  health,
  hotplug,
  metrics,
  top,
} from "./recipes_on_a_socket.ts";
import {
  attach,
  demo,
  events,
  file,
  first,
  keep,
  many,
  prints,
} from "./recipes_that_spawn.ts";
import { console, runner, ssh } from "./recipes_in_the_guest.ts";

interface Example {
  readonly run: Recipe;
  /** The forms in which the example is run. Default: with both VMMs. */
  readonly as?: readonly ("fake" | "real" | "compiled")[];
  /** The example needs what its guest writes at the boot. */
  readonly readsBoot?: boolean;
  /** The reason why the example cannot run here, if there is one. */
  readonly skip?: string | undefined;
}

const EVERY = ["fake", "real", "compiled"] as const;

const TABLE: { readonly [name: string]: Example } = {
  attach: { run: attach, as: ["fake", "real"] },
  backup: { run: backup, as: EVERY },
  boot_test: { run: bootTest, as: ["fake"] },
  "cloud-init": {
    run: prints("cloud-init", /^vm-\d+ is ready, with 2 disks$/m),
    as: ["fake"],
  },
  console: { run: console, readsBoot: true },
  demo: { run: demo },
  events: { run: events, as: ["fake", "real"] },
  file: { run: file, as: EVERY },
  first: { run: first, as: EVERY },
  health: { run: health, as: EVERY },
  hotplug: { run: hotplug, as: EVERY },
  keep: { run: keep, as: ["fake", "real"] },
  many: { run: many, as: EVERY },
  metrics: { run: metrics, as: EVERY },
  migrate: {
    run: prints(
      "migrate",
      /100 % finished[^]*^Running in VMM \d+; \d+ has ended$/m,
    ),
  },
  pool: { run: prints("pool", /^request 6 has VMM \d+ after \d+ ms$/m) },
  ready: { run: prints("ready", /^ready after \d+ ms$/m), as: ["fake"] },
  resize: {
    run: prints(
      "resize",
      /^web has 3 vCPUs\ndb has 3 vCPUs\nqueue has 3 vCPUs$/m,
    ),
  },
  runner: { run: runner, as: EVERY, readsBoot: true },
  serial: { run: prints("serial", /^hello from the (guest|fake)$/m) },
  ssh: { run: ssh, as: ["fake"], skip: hasSshd ? undefined : NO_SSHD },
  top: { run: top, as: ["fake"] },
};

/** Modules that the examples above import. */
const MODULES = ["boot", "guest", "scripted_guest"];

const [, real] = programs;
const compiles = "Bun" in globalThis ||
  "Deno" in globalThis && Boolean(process.env["DENORT_BIN"]);

const FORMS: Record<string, Form & { test: RegisterTest }> = {
  fake: { name: "with the fake", test },
  real: {
    name: "with a real VMM",
    binary: BINARY,
    test: real!.test,
  },
  compiled: {
    name: "as a program of one file",
    compiled: true,
    test: testIf(
      compiles,
      "Bun compiles; Deno needs its runtime in DENORT_BIN, Node compiles nothing",
    ),
  },
};

for (const [name, example] of Object.entries(TABLE)) {
  const { run, as = ["fake", "real"], readsBoot, skip } = example;
  for (const { test, ...form } of as.map((kind) => FORMS[kind]!)) {
    const lack = form.binary && readsBoot && olderThan(53, LOSES_OUTPUT);
    const reason = skip ?? (lack || undefined);
    const register = reason === undefined ? test : testIf(false, reason);
    register(
      `examples/${name}.ts runs ${form.name}`,
      () =>
        inDirectory(async (directory) => {
          try {
            await run(directory, form);
          } finally {
            killScripts();
          }
        }),
    );
  }
}

test("every example is run, listed, and free to be copied", () => {
  const files = readdirSync(EXAMPLES).sort()
    .filter((name) => name.endsWith(".ts"));
  const names = files.map((name) => name.replace(".ts", ""));
  assert.deepEqual(names, [...Object.keys(TABLE), ...MODULES].sort());
  const list = readFileSync(join(EXAMPLES, "README.md"), "utf8");
  for (const name of files) {
    assert.ok(list.includes(`](${name})`), name);
    if (["demo.ts", "guest.ts", "boot_test.ts"].includes(name)) continue;
    const text = readFileSync(join(EXAMPLES, name), "utf8");
    assert.match(
      text,
      /^\/\/ Runs as it is where .*\n\/\/ write "jsr:@chv\/cloud-hypervisor…"/,
      name,
    );
    assert.doesNotMatch(text, /from "\.\.?\//, name);
  }
});

test("docs/testing.md shows the test of the example", () => {
  const page = readFileSync(join(EXAMPLES, "../docs/testing.md"), "utf8");
  const example = readFileSync(join(EXAMPLES, "boot_test.ts"), "utf8");
  const body = example.slice(example.indexOf('test("bootVm() deletes')).trim();
  assert.ok(page.includes(body));
});

/** Runs a test of the examples with the test runner of the runtime. */
function bootTest(): Promise<void> {
  const path = join(EXAMPLES, "boot_test.ts");
  const args = "Deno" in globalThis
    ? ["test", "-A", "--no-check", path]
    : "Bun" in globalThis
    ? ["test", path]
    : ["--test", path];
  // With this variable, Node takes the run for a part of this test.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const options = { cwd: join(EXAMPLES, ".."), env, encoding: "utf8" } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, options);
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout + stderr, /\b2 pass|pass 2\b/);
  return Promise.resolve();
}
