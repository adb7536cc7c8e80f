/** The examples that own VMMs, each as a user runs it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { faked, inDirectory, programs, smallVm } from "../support/vmms.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));

/** The output of an example that has to succeed and leave nothing behind. */
async function run(
  name: string,
  args: readonly string[],
  directory: string,
  binary?: string,
): Promise<string> {
  const scratch = join(directory, "scratch");
  mkdirSync(scratch);
  const runtime = "Deno" in globalThis ? ["run", "-A", "--no-check"] : [];
  // Without PATH, so that the example does not find a real VMM there.
  const env: NodeJS.ProcessEnv = { ...process.env, PATH: "", TMPDIR: scratch };
  delete env["CLOUD_HYPERVISOR"];
  if (binary) env["CLOUD_HYPERVISOR"] = binary;
  const path = join(EXAMPLES, `${name}.ts`);
  const child = spawn(process.execPath, [...runtime, path, ...args], { env });
  let text = "";
  child.stdout.on("data", (chunk) => text += chunk);
  child.stderr.on("data", (chunk) => text += chunk);
  const code = await new Promise((resolve) => child.on("close", resolve));
  assert.equal(code, 0, text);
  assert.deepEqual(readdirSync(scratch), []);
  return text;
}

const OUTPUT: { readonly [example: string]: RegExp } = {
  serial: /^hello from the (guest|fake)$/m,
  pool: /^request 6 has VMM \d+ after \d+ ms$/m,
  resize: /^web has 3 vCPUs\ndb has 3 vCPUs\nqueue has 3 vCPUs$/m,
  migrate: /100 % finished[^]*^Running in VMM \d+; \d+ has ended$/m,
};

for (const { name, command, test } of programs) {
  for (const [example, output] of Object.entries(OUTPUT)) {
    test(
      `examples/${example}.ts runs with ${name}`,
      () =>
        inDirectory(async (directory) => {
          const binary = typeof command === "string" ? command : undefined;
          const { payload } = smallVm(directory);
          const text = await run(example, [payload!.kernel!], directory, binary)
            .catch((error) => {
              // This host cannot take snapshots at all.
              if (!String(error).includes("GetNestedState")) throw error;
            });
          if (text === undefined) return;
          assert.match(text, output);
          const vmm = binary ? `VMM: .* \\(${binary}\\)` : "VMM: the fake";
          assert.match(text, new RegExp(`^${vmm}`, "m"));
        }),
    );
  }
}

test("examples/top.ts shows the rates of VMs, and which are gone", () =>
  inDirectory(async (directory) => {
    const one = await faked(directory);
    await one.vmm.client.vm.create({
      payload: { kernel: "/boot/vmlinux" },
      disks: [{ id: "d", path: "/a.raw" }],
    });
    await one.vmm.client.vm.boot();
    const timer = setInterval(
      () => one.fake.recordTraffic("d", "read", { bytes: 4096, ops: 1 }),
      5,
    );
    const missing = join(directory, "missing.sock");
    const args = ["--rounds", "3", "--every", "100", one.fake.socketPath];
    const text = await run("top", [...args, missing], directory);
    clearInterval(timer);
    assert.match(text, /VM.*read.*written.*received.*sent.*load/);
    assert.match(text, /[\d.]+ KiB\/s.*0 B\/s.*▁?█/);
    assert.match(text, /missing\.sock.*socket_missing/);
    await one.end();
  }));

test("each example says how its imports are written, and is listed", () => {
  const list = readFileSync(join(EXAMPLES, "README.md"), "utf8");
  for (const name of readdirSync(EXAMPLES)) {
    if (name === "README.md") continue;
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
