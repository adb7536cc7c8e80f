/** docs/ch-remote.md: the command, `curl` and the call send the same. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ApiError, createClient } from "../../mod.ts";
import { type OperationName, operations } from "../../src/generated/api.gen.ts";
import { FakeVmm, type LoggedRequest } from "../../testing/mod.ts";
import { blocks } from "../support/markdown.ts";
import { testIf } from "../support/skip.ts";
import { inDirectory } from "../support/vmms.ts";

const PAGE = fileURLToPath(new URL("../../docs/ch-remote.md", import.meta.url));
const REMOTE = process.env["CH_REMOTE"] ?? "ch-remote";

/** A command, the request that it makes, and the call. */
interface Row {
  readonly operation: OperationName;
  readonly remote: string;
  readonly curl: string;
  readonly code: string;
}

const rows: Row[] = [];
const [, ...shown] = blocks(readFileSync(PAGE, "utf8"));
for (const [index, { language, text }] of shown.entries()) {
  if (language !== "sh") continue;
  const [remote, curl] = text.split(/\n(?=curl)/) as [string, string];
  const operation = /\/api\/v1\/(\S+)/.exec(curl)![1] as OperationName;
  rows.push({ operation, remote, curl, code: shown[index + 1]!.text });
}

/** The page's `vm.json`. */
const FILE = shown.find(({ language }) => language === "json")!.text;

const finds = (program: string): boolean =>
  spawnSync(program, ["--version"]).error === undefined;

test("docs/ch-remote.md has every operation once", () => {
  const found = rows.map(({ operation }) => operation).sort();
  assert.deepEqual(found, Object.keys(operations).sort());
});

const remoteTest = testIf(
  finds(REMOTE),
  "CH_REMOTE names no binary, nor is it on PATH",
);

remoteTest("docs/ch-remote.md has every command of ch-remote", () => {
  const { stdout } = spawnSync(REMOTE, ["--help"], { encoding: "utf8" });
  const list = /^Commands:\n([^]*?)^ {2}help/m.exec(stdout)![1]!;
  const commands = [...list.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name);
  const found = rows.map(({ remote }) => / \$S (\S+)/.exec(remote)![1]);
  assert.deepEqual(found.sort(), commands.sort());
});

const curlTest = testIf(finds("curl"), "there is no curl");

curlTest(
  "curl sends what the call sends",
  () =>
    inDirectory(async (directory) => {
      for (const row of rows) {
        const called = await request(row, directory, call);
        const sent = await request(row, directory, shell);
        assert.deepEqual(essence(sent), essence(called), row.operation);
      }
    }),
);

remoteTest(
  "ch-remote sends what the call sends, and defaults",
  () =>
    inDirectory(async (directory) => {
      for (const row of rows) {
        const called = essence(await request(row, directory, call));
        const sent = essence(
          await request({ ...row, curl: row.remote }, directory, shell),
        );
        // It writes out what it was not given.
        if (sent.body && called.body) {
          sent.body = Object.fromEntries(
            Object.keys(called.body).map((key) => [key, sent.body![key]]),
          );
        }
        assert.deepEqual(sent, called, row.operation);
      }
    }),
);

/** The one request that a VMM gets, in a state in which it is granted. */
async function request(
  row: Row,
  directory: string,
  send: (row: Row, vmm: FakeVmm, directory: string) => Promise<void>,
): Promise<LoggedRequest> {
  const { operation } = row;
  for (const path of ["run", "var/tmp", "var/backup/vm0"]) {
    rmSync(join(directory, path), { recursive: true, force: true });
    mkdirSync(join(directory, path), { recursive: true });
  }
  const vmm = await FakeVmm.start({ files: "any" });
  try {
    await prepare(operation, vmm, directory);
    const before = vmm.requests.length;
    await send(row, vmm, directory);
    assert.equal(vmm.requests.length, before + 1, operation);
    const made = vmm.requests.at(-1)!;
    assert.ok(WAITS === operation || made.status! < 300, `${operation}`);
    return made;
  } finally {
    await vmm.close();
  }
}

/** Waits for somebody, and fails here instead. */
const WAITS: OperationName = "vm.receive-migration";

/** Brings a VM where the operation does its work. */
async function prepare(
  operation: OperationName,
  vmm: FakeVmm,
  directory: string,
): Promise<void> {
  const { vm } = createClient(vmm.socketPath);
  if (operation === WAITS) {
    vmm.injectFault({
      operation,
      fault: { status: 500, chain: ["nobody came"] },
    });
  }
  if (["vm.create", "vm.restore", WAITS].includes(operation)) {
    if (operation !== "vm.restore") return;
    await prepare("vm.snapshot", vmm, directory);
    await vm.snapshot({
      destination_url: `file://${join(directory, "var/backup/vm0")}`,
    });
    return await vm.delete();
  }
  const zones = [{
    id: "mem0",
    size: 1 << 29,
    hotplug_size: 1 << 30,
    shared: true,
  }];
  await vm.create({
    payload: { kernel: "/boot/vmlinux" },
    cpus: { boot_vcpus: 1, max_vcpus: 4 },
    memory: operation === "vm.resize-zone"
      ? { size: 0, hotplug_method: "VirtioMem", zones }
      : { size: 1 << 29, hotplug_size: 1 << 30, shared: true },
    disks: [{ path: join(directory, "vm0.raw"), image_type: "Raw" }],
  });
  if (operation === "vm.boot") return;
  await vm.boot();
  if (operation === "vm.resume" || operation === "vm.snapshot") {
    await vm.pause();
  }
}

/** Runs the page's call. */
async function call(
  { code }: Row,
  { socketPath }: FakeVmm,
  directory: string,
): Promise<void> {
  const AsyncFunction = (async () => {}).constructor as new (
    ...source: string[]
  ) => (...values: unknown[]) => Promise<void>;
  const { vm, vmm } = createClient(socketPath);
  const text = moved(code, directory);
  const run = new AsyncFunction("vm", "vmm", "console", text);
  await run(vm, vmm, { log: () => {} }).catch((error) => {
    if (!(error instanceof ApiError) || error.operation !== WAITS) throw error;
  });
}

/** Runs the page's line for a shell. */
async function shell(
  { curl, operation }: Row,
  { socketPath: S }: FakeVmm,
  directory: string,
): Promise<void> {
  writeFileSync(join(directory, "vm.json"), moved(FILE, directory));
  const line = moved(curl, directory).replace(/^ch-remote/, REMOTE);
  const env = { ...process.env, S };
  const child = spawn("sh", ["-c", line], { cwd: directory, env });
  let text = "";
  child.stderr.on("data", (chunk) => text += chunk);
  child.stdout.resume();
  const code = await new Promise((resolve) => child.on("close", resolve));
  if (operation !== WAITS) assert.equal(code, 0, text);
}

/** With the paths of the host in the test's own directory. */
function moved(text: string, directory: string): string {
  return text.replaceAll(/\/(?=(var|run)\/)/g, `${directory}/`);
}

function essence({ method, path, body }: LoggedRequest) {
  return {
    method,
    path,
    body: body === "" ? undefined : JSON.parse(body) as Json,
  };
}

type Json = Record<string, unknown>;
