/**
 * A new release of the VMM needs the steps of "When the VMM makes a release" in
 * CONTRIBUTING.md. The release of this test does not exist.
 */
import assert from "node:assert/strict";
import {
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { newestRelease, releases } from "../../testing/release.ts";
import {
  copyProject,
  deno,
  denoPasses,
  edit,
} from "../support/project_copy.ts";
import { testIf } from "../support/skip.ts";

const NAME = "v99.0";
const VERSION = "99.0.0";
const { version } = releases[newestRelease];

/** Step 1: the name, and the data, which are those of the release before. */
function addRelease(directory: string): void {
  edit(
    directory,
    "testing/release_type.ts",
    (text) => text.replace("ReleaseName =\n", `$&  | "${NAME}"\n`),
  );
  edit(directory, "testing/release.ts", (text) => {
    const data = `{ ...HEAD, name: "${NAME}", version: "${VERSION}" }`;
    return text.replace(
      `  "${newestRelease}": HEAD`,
      `  "${NAME}": ${data},\n$&`,
    );
  });
}

/** Step 2: the releases that the types describe. */
function describe(directory: string): void {
  edit(
    directory,
    "spec/cloud-hypervisor.yaml",
    (text) =>
      text.replace(
        /^servers:/m,
        `    - {name: ${NAME}, date: 2099-01-01, state: tested, commit: 1234567890}\nservers:`,
      ),
  );
}

/** Step 3, as `deno task record` would: the release answers as the one before. */
function record(directory: string): void {
  const folder = join(directory, "tests/recordings");
  const to = join(folder, NAME);
  cpSync(join(folder, newestRelease), to, { recursive: true });
  for (const name of readdirSync(to)) {
    const path = join(to, name);
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replaceAll(`"${version}"`, `"${VERSION}"`));
  }
}

/** Tests in which each release takes part. */
const TESTS = [
  "tests/codegen/error_codes_test.ts",
  "tests/codegen/spec_test.ts",
  "tests/errors/errors_test.ts",
  "tests/fake/conformance_test.ts",
  "tests/project/exports_test.ts",
];

const denoTest = testIf("Deno" in globalThis, "Deno runs it alone");

denoTest("a new release needs its data, the spec's head and recordings", () => {
  const directory = copyProject("tests", "tools", "examples");
  try {
    const run = (...files: string[]) =>
      deno(directory, "test", "-A", "--no-check", ...files);
    addRelease(directory);
    const early = run("tests/fake/conformance_test.ts");
    assert.notEqual(early.status, 0);
    assert.match(early.output, new RegExp(`recordings/${NAME}`));

    describe(directory);
    record(directory);
    denoPasses(directory, "run", "-A", "--no-check", "codegen/generate.ts");
    denoPasses(directory, "check", "--quiet", "testing/mod.ts", ...TESTS);
    const { status, output } = run(...TESTS);
    assert.equal(status, 0, output);
    assert.match(output, new RegExp(`FakeVmm as ${NAME}: `));
  } finally {
    rmSync(directory, { recursive: true });
  }
});
