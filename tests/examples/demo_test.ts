import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { testIf } from "../support/skip.ts";
import { opens } from "../support/vmms.ts";

const DEMO = fileURLToPath(new URL("../../examples/demo.ts", import.meta.url));
const BINARY = process.env["CLOUD_HYPERVISOR"];

interface Run {
  child: ChildProcess;
  /** Where it makes its files. */
  directory: string;
  /** Resolves to all of its output once it has ended. */
  output: Promise<string>;
  /** Resolves when it has printed `text`. */
  printed(text: string): Promise<void>;
}

/** Runs the demo on the runtime that runs this test. */
function run(binary: string): Run {
  const directory = mkdtempSync(join(tmpdir(), "chv-demo-test-"));
  const args = "Deno" in globalThis ? ["run", "-A", DEMO] : [DEMO];
  const child = spawn(process.execPath, args, {
    env: {
      ...process.env,
      TMPDIR: directory,
      CLOUD_HYPERVISOR: binary,
      ...(binary === "" && { PATH: "" }),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  let look = (): void => {};
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      look();
    });
  }
  return {
    child,
    directory,
    output: new Promise((resolve) => child.on("close", () => resolve(text))),
    printed: (wanted) =>
      new Promise((resolve, reject) => {
        look = () => text.includes(wanted) && resolve();
        look();
        child.on("close", () => reject(new Error(text)));
      }),
  };
}

async function walksThrough(binary: string): Promise<string> {
  const { child, directory, output } = run(binary);
  const text = await output;
  assert.equal(child.exitCode, 0, text);
  for (
    const line of [
      /^boot +Running, 1 of 2 vCPUs, 128 MiB$/m,
      /^counters +_disk0 has read 0 bytes$/m,
      /^add-disk +data at 0000:00:\d\d\.0$/m,
      /^resize +2 vCPUs$/m,
      /^boot again +already_exists: /m,
      /^snapshot +(saved|this host refuses it: .*GetNestedState)/m,
      /^stop +the VMM ended after (power-button|vm\.shutdown|vmm\.shutdown)$/m,
    ]
  ) assert.match(text, line);
  assert.deepEqual(readdirSync(directory), []);
  rmSync(directory, { recursive: true });
  return text;
}

test("the demo shows the life of a VM with the fake", async () => {
  const text = await walksThrough("");
  assert.match(text, /^VMM +the fake \(no cloud-hypervisor/m);
  assert.match(text, /^restore +Running$/m);
});

testIf(
  Boolean(BINARY) && opens("/dev/kvm"),
  "CLOUD_HYPERVISOR names no binary, or /dev/kvm does not open",
)("the demo shows the life of a VM with a real VMM", async () => {
  const text = await walksThrough(BINARY!);
  assert.ok(text.includes(BINARY!));
});

test("the demo leaves nothing behind when it is interrupted", async () => {
  const { child, directory, output, printed } = run("");
  await printed("VMM");
  child.kill("SIGINT");
  const text = await output;
  assert.equal(child.signalCode, "SIGINT", text);
  assert.deepEqual(readdirSync(directory), []);
  rmSync(directory, { recursive: true });
});
