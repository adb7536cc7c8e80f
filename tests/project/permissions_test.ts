/** docs/permissions.md: each line is enough, and no part of it is too much. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import project from "../../deno.json" with { type: "json" };
import { createClient } from "../../mod.ts";
import { ConnectionError } from "../../src/errors/errors.ts";
import { waitForVmm } from "../../src/workflows/mod.ts";
import { FakeVmm } from "../../testing/mod.ts";
import { emulateVsock } from "../guest/emulator.ts";
import { testIf } from "../support/skip.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PAGE = readFileSync(join(ROOT, "docs/permissions.md"), "utf8");
const DENO = realpathSync(join(ROOT, "node_modules/deno/deno"));

/** The entry, the call and the flags of a line. */
const lines = [
  ...PAGE.matchAll(/^\| `(\.[^`]*)` +\| `(.+?)` +\| (?:`(.+)`|none) +\|$/gm),
].map(([, entry, call, flags]) => ({
  entry: entry!,
  call: call!,
  flags: flags?.split(" ") ?? [],
}));

/** Scripts for the calls, by what the line says, with its letters. */
const SCRIPTS: { readonly [call: string]: string } = {
  'createClient("S")': `await createClient("S").vmm.ping();`,
  'unixFetch("S")': `
    await (await unixFetch("S")("http://x/api/v1/vmm.ping")).json();`,
  'createSdk("S")': `
    const { data, error } = await createSdk("S").vmm.ping();
    if (!data) throw error;`,
  "validate(config)": `validate({ payload: {} });`,
  "parse(text)": `parse("[1]");`,
  "parseCommandLine(argv)": `parseCommandLine(["--kernel", "/k"]);`,
  'readEvents("E")': `for await (const _ of readEvents("E")) break;`,
  'waitForState(client, "Running")': `
    await waitForState(createClient("S"), "Running");`,
  'snapshotVm(client, "D")': `await snapshotVm(createClient("S"), "D");`,
  "ensureVm(client, config)": `
    await ensureVm(createClient("S"), { payload: { kernel: "/boot/vmlinux" } });`,
  'restoreVm(client, "D")': `
    await createClient("S").vm.delete();
    await restoreVm(createClient("S"), "D");`,
  'restoreVm(client, "D", { config })': `
    const vmm = { client: createClient("S"), directory: "V" };
    await vmm.client.vm.delete();
    await restoreVm(vmm, "D", { config() {} });`,
  'cloneSnapshot("D", "V", edit)': `
    const clone = await cloneSnapshot("D", "V", () => {});
    clone.remove();`,
  'connectVmm("S", { eventsPath: "E" })': `
    const vmm = await connectVmm("S", { eventsPath: "E" });
    for await (const _ of vmm.events()) break;
    await vmm.client.vmm.ping();`,
  'spawnVmm({ detach: true, directory: "D" })': `
    const options = { detach: true, directory: "D", command: COMMAND };
    const vmm = await spawnVmm(options);
    for await (const _ of vmm.events()) break;
    const same = await spawnVmm(options);
    if (same.pid !== vmm.pid) throw new Error("started twice");
    await same.kill().then(() => { throw new Error("signalled"); }, (error) => {
      if (!error.message.includes("run the script with -A")) throw error;
    });
    await same.stop();`,
  'connectVmm("D")': `
    const vmm = await connectVmm("D");
    for await (const _ of vmm.events()) break;
    await vmm.client.vmm.ping();`,
  'listVmms("D")': `
    const [{ isAlive }] = await listVmms("D");
    if (!isAlive) throw new Error("not found");`,
  'spawnVmm({ directory: "D" })': `
    const vmm = await spawnVmm({ command: COMMAND, directory: "D" });
    for await (const _ of vmm.events()) break;
    await vmm.stop();`,
  "spawnVmm()": `
    const vmm = await spawnVmm({ command: COMMAND });
    for await (const _ of vmm.events()) break;
    await vmm.stop();`,
  'FakeVmm.start({ socketPath: "S" })': `
    const vmm = await FakeVmm.start({ socketPath: "S" });
    await vmm.close();`,
  "FakeVmm.start()": `
    const vmm = await FakeVmm.start();
    await vmm.close();`,
  'dialVsock("V", 1024)': `
    const connection = await dialVsock("V", 1024, { timeoutMs: 2000 });
    connection.close();`,
  'listenVsock("V", 1024)': `
    const listener = await listenVsock("V", 1024);
    listener.close();`,
  'waitForReady("V", { boot })': `
    const signal = AbortSignal.timeout(100);
    const boot = () => Promise.resolve();
    await waitForReady("V", { boot, signal }).catch((error) => {
      if (error !== signal.reason) throw error;
    });`,
  'openConsole({ socket: "V" })': `
    const console = await openConsole({ socket: "V" }, { timeoutMs: 2000 });
    await console.close();`,
  'logConsole({ socket: "V" }, "E")': `
    const log = logConsole({ socket: "V" }, "E");
    await log.console.connected;
    await log.close();
    await log.done;`,
  'sshCommand("V")': `await sshCommand("V");`,
  "guestCredentials(options)": `guestCredentials({ readyPort: 8888 });`,
  "seedImage(files)": `seedImage({ "meta-data": "" });`,
  "--api-socket path=S": "",
};

test("docs/permissions.md has every entry", () => {
  const entries = new Set(lines.map(({ entry }) => entry));
  assert.deepEqual([...entries].sort(), Object.keys(project.exports).sort());
  const calls = lines.map(({ call }) => call).sort();
  assert.deepEqual(calls, Object.keys(SCRIPTS).sort());
});

const denoTest = testIf("Deno" in globalThis, "permissions are Deno's");

denoTest(
  "docs/permissions.md has what each entry needs, and no more",
  async (t) => {
    for (const line of lines) {
      await t.test(`${line.entry} ${line.call}`, async () => {
        const all = await run(line, line.flags);
        assert.equal(all, "done", line.flags.join(" "));
        const fewer = without(line.flags);
        assert.equal(fewer.length > 0, line.flags.length > 0);
        for (const flags of fewer) {
          const said = await run(line, flags);
          assert.match(said, DENIED, flags.join(" "));
        }
      });
    }
  },
);

const DENIED = /NotCapable|runtime_permission|runtime denies|Requires \w+ acc/;

test("a ConnectionError says what the client needs", () => {
  const context = { socketPath: "S" };
  const { message } = new ConnectionError("runtime_permission", context);
  const client = lines.find(({ call }) => call === 'createClient("S")')!;
  assert.ok(message.includes(client.flags.join(" ")), message);
});

/** The flags with one of them, or a part of one, left out. */
function without(flags: readonly string[]): string[][] {
  return flags.flatMap((flag, index) => {
    const replaced = (...by: string[]) => flags.toSpliced(index, 1, ...by);
    const [name, value] = flag.split("=");
    const parts = value?.split(",") ?? [];
    const rest = parts.map((part) => parts.filter((other) => other !== part));
    // What is not narrowed cannot be.
    if (name === "--allow-net" && !value) rest.push(["[100::1]:80"]);
    return [
      replaced(),
      ...rest.filter((some) => some.length > 0)
        .map((some) => replaced(`${name}=${some}`)),
    ];
  });
}

/** The output of a script that has only these permissions. */
async function run(
  { entry, call }: { entry: string; call: string },
  flags: readonly string[],
): Promise<string> {
  const scratch = mkdtempSync(join(tmpdir(), "chv-permissions-"));
  const place = placesIn(scratch, call);
  const fill = (text: string): string =>
    text.replaceAll(LETTER, (letter) => place[letter]!);
  mkdirSync(join(scratch, "tmp"));
  if (dirname(place["S"]!) !== scratch) mkdirSync(dirname(place["S"]!));
  writeFileSync(place["E"]!, EVENT);
  try {
    if (entry.startsWith("./testing")) {
      return await execute(entry, call, flags.map(fill), fill);
    }
    if (entry === "./guest") {
      const accept = () => (socket: Socket) => void socket.end();
      const guest = await emulateVsock(place["V"]!, accept);
      try {
        return await execute(entry, call, flags.map(fill), fill);
      } finally {
        await guest.close();
      }
    }
    const fake = await FakeVmm.start({
      socketPath: place["S"]!,
      files: "any",
      boot: { payload: { kernel: "/boot/vmlinux" } },
    });
    try {
      if (/^(restoreVm|cloneSnapshot)/.test(call)) await snapshot(place);
      if (call.includes("config }")) mkdirSync(place["V"]!);
      return await execute(entry, call, flags.map(fill), fill);
    } finally {
      await fake.close();
      assert.deepEqual(readdirSync(join(scratch, "tmp")), []);
      if (call.startsWith("spawnVmm")) assert.ok(!existsSync(place["D"]!));
    }
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** The meanings of the page's letters. */
function placesIn(scratch: string, call: string): Record<string, string> {
  const isKnown = call === 'connectVmm("D")' || call === 'listVmms("D")';
  const home = isKnown ? join(scratch, "directory") : scratch;
  return {
    S: join(home, "api.sock"),
    E: join(home, "events"),
    D: join(scratch, "directory"),
    V: join(scratch, "vsock"),
    P: DENO,
    // Where nothing says otherwise, for what asks all variables that could.
    T: call === "FakeVmm.start()" ? "/tmp" : join(scratch, "tmp"),
  };
}

const LETTER = /(?<=["=:,])[SEDPTV](?=["/,._]|$)/g;

const EVENT = `${
  JSON.stringify({
    timestamp: { secs: 0, nanos: 0 },
    source: "vmm",
    event: "starting",
    properties: null,
  })
}\n\n`;

async function snapshot({ S, D }: Record<string, string>): Promise<void> {
  const { vm } = createClient(S!);
  mkdirSync(D!);
  await vm.pause();
  await vm.snapshot({ destination_url: `file://${D}` });
}

async function execute(
  entry: string,
  call: string,
  flags: readonly string[],
  fill: (text: string) => string,
): Promise<string> {
  const T = fill('"T"').slice(1, -1);
  const { TMPDIR: _, TMP: __, TEMP: ___, ...env } = process.env;
  if (T !== "/tmp") env["TMPDIR"] = T;
  const own = join(ROOT, project.exports[entry as "."]);
  const options = ["run", "--no-prompt", "--no-check", ...flags];
  if (SCRIPTS[call] === "") {
    const path = fill("=S").slice(1);
    const args = [...options, own, "--api-socket", `path=${path}`];
    const child = start(args, env);
    const client = createClient(path);
    const up = waitForVmm(client).then(() => client.vmm.shutdown());
    await Promise.race([up, child]).catch(() => {});
    return await child;
  }
  const name = /^\w+/.exec(call)![0];
  const more = call.includes("client")
    ? `import { createClient } from "${join(ROOT, "mod.ts")}";`
    : "";
  const script = join(fill("=E").slice(1), "../script.ts");
  const command = JSON.stringify([DENO, "run", "-A", STAND_IN]);
  writeFileSync(
    script,
    `import { ${name} } from "${own}"; ${more}
    ${fill(SCRIPTS[call]!).replace("COMMAND", command)}`,
  );
  return await start([...options, script], env);
}

const STAND_IN = join(ROOT, "testing/cloud-hypervisor.ts");

/** The error of Deno, or the sign of success. */
async function start(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<string> {
  // By this name: to the one that it runs as itself, Deno gives --allow-all.
  const child = spawn(join(ROOT, "node_modules/.bin/deno"), args, { env });
  let text = "";
  child.stdout.on("data", (chunk) => text += chunk);
  child.stderr.on("data", (chunk) => text += chunk);
  const code = await new Promise((resolve) => child.on("close", resolve));
  return code === 0 ? "done" : text;
}
