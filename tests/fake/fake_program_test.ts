import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fakeCommand, fakeUnlessInstalled } from "../../testing/mod.ts";
import { testIf } from "../support/skip.ts";
import { inDirectory, opens } from "../support/vmms.ts";

test("fakeUnlessInstalled() takes the program of CLOUD_HYPERVISOR", () =>
  inDirectory((directory) => {
    const program = createProgram(join(directory, "vmm"));
    const chosen = withEnv({ CLOUD_HYPERVISOR: program, PATH: "" });
    assert.deepEqual(chosen.command, [program]);
    assert.equal(chosen.name, `cloud-hypervisor v1.2.3 (${program})`);
  }));

test("fakeUnlessInstalled() leaves a missing program to spawnVmm()", () => {
  const chosen = withEnv({ CLOUD_HYPERVISOR: "/missing", PATH: "" });
  assert.deepEqual(chosen.command, ["/missing"]);
  assert.equal(chosen.name, "/missing");
});

const kvmTest = testIf(opens("/dev/kvm"), "/dev/kvm does not open");

kvmTest(
  "fakeUnlessInstalled() takes the program of PATH",
  () =>
    inDirectory((directory) => {
      const program = createProgram(join(directory, "cloud-hypervisor"));
      const PATH = `/missing::${directory}`;
      for (const CLOUD_HYPERVISOR of [undefined, ""]) {
        assert.deepEqual(withEnv({ CLOUD_HYPERVISOR, PATH }).command, [
          program,
        ]);
      }
    }),
);

test("fakeUnlessInstalled() takes the fake where nothing is installed", () => {
  const chosen = withEnv({ CLOUD_HYPERVISOR: undefined, PATH: "" });
  assert.deepEqual(chosen.command, fakeCommand());
  assert.deepEqual(chosen.env, { FAKE_VMM_FILES: "any" });
  assert.match(chosen.name, /^the fake \(no cloud-hypervisor in /);
});

/** Calls it with these variables, of which `undefined` is unset. */
function withEnv(
  variables: Readonly<Record<string, string | undefined>>,
): ReturnType<typeof fakeUnlessInstalled> {
  const before = Object.keys(variables).map((name) =>
    [name, process.env[name]] as const
  );
  set(Object.entries(variables));
  try {
    return fakeUnlessInstalled({ files: "any" });
  } finally {
    set(before);
  }
}

function set(entries: Iterable<readonly [string, string | undefined]>): void {
  for (const [name, value] of entries) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}

function createProgram(path: string): string {
  const lines = "#!/bin/sh\necho cloud-hypervisor v1.2.3\necho Migration: 0\n";
  writeFileSync(path, lines, { mode: 0o755 });
  return path;
}
