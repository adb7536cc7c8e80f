/** The examples that start VMMs of their own. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { guestElf } from "../../examples/guest.ts";
import type { VmConfig } from "../../mod.ts";
import {
  type Form,
  type Recipe,
  type Script,
  start,
} from "../support/script.ts";
import { smallVm } from "../support/vmms.ts";

/** An example that takes a kernel and prints `output`. */
export function prints(name: string, output: RegExp): Recipe {
  return async (directory, form) => {
    const { payload } = smallVm(directory);
    const script = start(name, [payload!.kernel!], directory, form);
    const text = await script.ended().catch((error) => {
      // KVM cannot snapshot nested state on every host.
      if (!String(error).includes("GetNestedState")) throw error;
    });
    if (text === undefined) return;
    assert.match(text, output);
    const { binary } = form;
    const vmm = binary ? `VMM: .* \\(${binary}\\)` : "VMM: the fake";
    assert.match(text, new RegExp(`^${vmm}`, "m"));
  };
}

export async function keep(directory: string, form: Form): Promise<void> {
  const { payload } = smallVm(directory);
  const vms = join(directory, "vms");
  const run = (...args: string[]): Promise<string> =>
    start("keep", [vms, ...args], directory, form).ended();
  const [, pid] = /^a runs in VMM (\d+)$/m.exec(
    await run("up", "a", payload!.kernel!),
  )!;
  // The next run finds the same VMM.
  assert.match(
    await run("up", "a", payload!.kernel!),
    new RegExp(`^a runs in VMM ${pid}$`, "m"),
  );
  assert.equal(await run("ls"), `${join(vms, "a")}: VMM ${pid}\n`);
  assert.match(await run("down", "a"), /^a was ended by /);
  assert.equal(await run("ls"), `${join(vms, "a")}: ended\n`);
}

export async function attach(directory: string, form: Form): Promise<void> {
  const { payload } = smallVm(directory);
  const script = start("attach", [payload!.kernel!], directory, form);
  await script.printed(form.binary ? /hello from the guest/ : /fake login: /);
  script.stdin.write("x\x1d");
  assert.match(await script.ended(), /^left$/m);
}

export async function demo(directory: string, form: Form): Promise<void> {
  const text = await start("demo", [], directory, form).ended();
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
  if (form.binary) assert.ok(text.includes(form.binary));
  else {
    assert.match(text, /^VMM +the fake \(no cloud-hypervisor/m);
    assert.match(text, /^restore +Running$/m);
  }

  const interrupted = start("demo", [], directory, form);
  await interrupted.printed(/^VMM/m);
  interrupted.signal("SIGINT");
  await interrupted.ended("SIGINT");
}

export async function first(directory: string, form: Form): Promise<void> {
  const { payload } = smallVm(directory);
  const script = start("first", [payload!.kernel!], directory, form, {
    FAKE_VMM_GUEST: '{"powersOffAfterMs":1}',
  });
  const text = await script.ended(0);
  assert.match(
    text,
    /^VMM: .*\nRunning: 1 vCPU, 256 MiB, VMM \d+\nthe VMM ended after (power-button|vm)/,
  );
}

export async function file(directory: string, form: Form): Promise<void> {
  const yaml = join(directory, "vm.yaml");
  const run = (config: VmConfig | string): Script => {
    // What is JSON is YAML too.
    const text = typeof config === "string" ? config : JSON.stringify(config);
    writeFileSync(yaml, text);
    return start("file", [yaml], directory, form);
  };
  const config = smallVm(directory);
  const running = run(config);
  await running.printed(/^booted in VMM \d+, socket .*$/m);
  running.signal("SIGTERM");
  await running.ended("SIGTERM");

  const misspelt = { ...config, cpu: { boot_vcpus: 2 } } as VmConfig;
  assert.match(await run(misspelt).ended(1), /vm\.yaml: cpu: .*"cpus"/);
  assert.match(
    await run("payload:\n  kernel: /boot/vmlinux\nmemory: [").ended(1),
    /vm\.yaml: .* at line 3/,
  );
  if (!form.binary) return;
  const kernel = join(directory, "job.elf");
  writeFileSync(kernel, guestElf("bye", "power off"));
  const ended = await run({ ...config, payload: { kernel } }).ended(0);
  assert.match(ended, /the VMM ended with code 0/);
}

export async function events(directory: string, form: Form): Promise<void> {
  const kernel = join(directory, "job.elf");
  writeFileSync(kernel, guestElf("bye", "power off"));
  const text = await start("events", [kernel], directory, form).ended(0);
  for (const name of ["web", "db", "cache"]) {
    assert.match(text, new RegExp(`^${name}: vm booted$`, "m"));
    assert.match(text, new RegExp(`^${name}: vmm shutdown$`, "m"));
    assert.match(text, new RegExp(`${name}.*powered-off.*guest`));
  }
}

export async function many(directory: string, form: Form): Promise<void> {
  const { payload } = smallVm(directory);
  const run = (kernel: string): Script =>
    start("many", ["3", kernel], directory, form, {
      FAKE_VMM_GUEST: '{"powersOffAfterMs":1}',
    });
  const interrupted = run(payload!.kernel!);
  await interrupted.printed(/api\.sock[^]*api\.sock[^]*api\.sock/);
  interrupted.signal("SIGINT");
  await interrupted.ended("SIGINT");

  const early = run(payload!.kernel!);
  await early.printed(/^VMM: /);
  early.signal("SIGINT");
  await early.ended("SIGINT");
}
