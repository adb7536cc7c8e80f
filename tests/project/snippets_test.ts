/** The code in the documentation, as a reader would run it, on the fake. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { FakeVmm } from "../../testing/mod.ts";
import { fakeBinary } from "../support/script.ts";
import { testIf } from "../support/skip.ts";
import { type Snippet, snippets } from "../support/snippets.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The code before a snippet on its page. */
const BEFORE: { readonly [name: string]: string } = {
  "README.md 4": `
    import { createClient } from "@chv/cloud-hypervisor";
    const { vm } = createClient("/run/vm0/api.sock");
    await vm.create({ payload: { kernel: "/boot/vmlinux" } });`,
};

/** A page whose own test, ch_remote_test.ts, runs it. */
const CALLS = "docs/ch-remote.md";

function before(name: string): string {
  if (!name.startsWith(CALLS) || name === `${CALLS} 1`) {
    return BEFORE[name] ?? "";
  }
  return `
    import { createClient } from "@chv/cloud-hypervisor";
    const { vm, vmm } = createClient("/run/vm0/api.sock");`;
}

/** The expected output of snippets whose output is checked. */
const OUTPUT: { readonly [name: string]: RegExp } = {
  "mod.ts 1": /^Running$/,
  "src/json/mod.ts 1": /^[{]/,
  "src/json/mod.ts 2": /^\d+ MiB$/,
  "docs/command-line.md 1": /^2\ntrue\nRunning$/,
  "docs/command-line.md 2":
    /^\{"payload":\{"kernel":"\/k"\},"disks":\[\{"path":"\/a\.raw"\}\],"memory":\{"size":2147483648,"shared":true\}\}$/,
  "docs/command-line.md 3":
    /unknown option "readOnly"; did you mean "readonly"\?\n--disk readOnly unknown_option$/,
  "README.md 1": /^Running _disk0\npower-button$/,
  "README.md 3": /^Running 512 MiB\n0000:00:03\.0$/,
  "docs/testing.md 2": /vm\.remove-device/,
  "docs/testing.md 3": /^deadline$/,
  "docs/testing.md 4": /^power-button$/,
  "docs/testing.md 5": /^Linux$/,
  "docs/long-lived.md 1": /^\d+\n[^]*vms\/web/,
  "docs/many.md 1": /vm9[^]*vm9[^]*powered-off[^]*guest/,
  "docs/many.md 4": /^(?=[^]*web vmm shutdown)(?=[^]*db vmm shutdown)/,
  "docs/many.md 2": /^(powered-off by script(, )?){3}$/,
  "docs/fleet.md 1": /^moved Running$/,
  "docs/clones.md 1": /^Running \/tmp\/vms-\w+\/clone\.raw$/,
  "README.md 5":
    /^disks\[0\]\.readOnly DiskConfig has no such key; did you mean "readonly"\?$/,
};

/** Shown in a test's own file, which the examples' test runs. */
const ELSEWHERE = ["docs/testing.md 1"];

/** Snippets that need a VM that runs. */
const RUNNING =
  /snapshotVm\(createClient|connectVmm|readEvents|memory_actual_size \/|"vm\.add-disk"|hypervisor\/json"/;

/** Snippets that need a guest that answers; tests/guest runs their calls. */
const REACHING =
  /\b(dialVsock|listenVsock|openConsole|logConsole|waitForReady|sshCommand|waitFor)\(/;

/** False on Node 22, which cannot parse `using`. */
const USING = readable("{ using nothing = null; }");

const shown = snippets();

for (const snippet of shown) {
  const { name, code } = snippet;
  if (ELSEWHERE.includes(name) || name.startsWith(CALLS)) continue;
  if (REACHING.test(code)) continue;
  if (!USING && /^await using /m.test(code)) continue;
  test(`${name} runs`, async () => {
    // In the repository, so that the package is found by its name.
    const directory = mkdtempSync(join(ROOT, "tests/snippets-"));
    try {
      const text = await run(snippet, join(directory, "snippet.ts"));
      assert.match(text.trim(), OUTPUT[name] ?? /^/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
}

test("a snippet with `await using` says that Node 22 cannot parse it", () => {
  const using = shown.filter(({ code }) => /^await using /m.test(code));
  assert.deepEqual(using.filter(({ code }) => !/Node 22/.test(code)), []);
});

test("the documentation has code, and each expected output its snippet", () => {
  const names = shown.map(({ name }) => name);
  assert.ok(names.length > 12, `${names.length} snippets`);
  const expected = [...Object.keys(OUTPUT), ...ELSEWHERE];
  assert.deepEqual(expected.filter((name) => !names.includes(name)), []);
});

const denoTest = testIf(
  "Deno" in globalThis,
  "types are the same on each runtime",
);

denoTest("the code in the documentation has the right types", async () => {
  const directory = mkdtempSync(join(ROOT, "tests/snippets-"));
  try {
    for (const [index, { name, code }] of shown.entries()) {
      if (ELSEWHERE.includes(name)) continue;
      const text = `${before(name)}\n${code}\nexport {};\n`;
      writeFileSync(join(directory, `${index}.ts`), text);
    }
    const config = { extends: "../../tsconfig.json", include: ["*.ts"] };
    const path = join(directory, "tsconfig.json");
    writeFileSync(path, JSON.stringify(config));
    const tsc = join(ROOT, "node_modules/.bin/tsc");
    const [status, text] = await output(tsc, ["-p", path], process.env);
    assert.equal(status, 0, text);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

function readable(code: string): boolean {
  try {
    new Function(code);
    return true;
  } catch {
    return false;
  }
}

/** The output of a snippet that runs to its end. */
async function run({ name, code }: Snippet, path: string): Promise<string> {
  const scratch = mkdtempSync(join(tmpdir(), "chv-snippet-"));
  const whole = `${before(name)}\n${code}`;
  const boot = { payload: { kernel: "/boot/vmlinux" } };
  const vmm = await FakeVmm.start({
    files: "any",
    guest: { powersOffAfterMs: 1 },
    ...(RUNNING.test(code) && { boot }),
  });
  try {
    mkdirSync(join(scratch, "tmp"));
    mkdirSync(join(scratch, "vms"));
    const places: readonly (readonly [string, string])[] = [
      ["/run/vm0/api.sock", vmm.socketPath],
      ["/run/vm0/events", join(scratch, "events")],
      ["/var/lib/vms", join(scratch, "vms")],
      ["/var/backup/vm0", join(scratch, "backup")],
      ["/var/lib/vms", join(scratch, "vms")],
      [IMAGE, join(scratch, "disk")],
    ];
    const here = places.reduce(
      (text, [from, to]) => text.replaceAll(`"${from}"`, JSON.stringify(to)),
      whole,
    );
    writeFileSync(path, here);
    writeFileSync(join(scratch, "events"), EVENTS);
    writeFileSync(join(scratch, "disk"), "QFI\xfb".padEnd(512), "latin1");
    const runtime = "Deno" in globalThis ? ["run", "-A", "--no-check"] : [];
    const [status, text] = await output(process.execPath, [...runtime, path], {
      ...process.env,
      CLOUD_HYPERVISOR: fakeBinary(scratch),
      FAKE_VMM_FILES: "any",
      FAKE_VMM_GUEST: JSON.stringify({ powersOffAfterMs: 1, endsAfterMs: 300 }),
      NODE_NO_WARNINGS: "1",
      NO_COLOR: "1",
      TMPDIR: join(scratch, "tmp"),
    });
    assert.equal(status, 0, text);
    return text;
  } finally {
    await vmm.close();
    rmSync(scratch, { recursive: true });
  }
}

/** A qcow2 image, by its first bytes. */
const IMAGE = "noble-server-cloudimg-amd64.img";

/** A VMM from its start to its end. */
const EVENTS = [["vmm", "starting"], ["vm", "booted"], ["vmm", "shutdown"]]
  .map(([source, event]) => ({
    timestamp: { secs: 0, nanos: 0 },
    source,
    event,
    properties: null,
  }))
  .map((event) => `${JSON.stringify(event)}\n\n`).join("");

/** The exit code and all the output of a program. */
async function output(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<[number | null, string]> {
  const child = spawn(command, args, { env, timeout: 55_000 });
  let text = "";
  child.stdout.on("data", (chunk) => text += chunk);
  child.stderr.on("data", (chunk) => text += chunk);
  const status = await new Promise<number | null>((resolve) =>
    child.on("close", resolve)
  );
  return [status, text];
}
