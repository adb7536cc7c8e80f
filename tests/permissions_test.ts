import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { reply, serve } from "./server.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const README = readFileSync(join(ROOT, "README.md"), "utf8");

/** The flags of the README's line, with `S` for the socket. */
const FLAGS = /the client +\| `(--allow-read=S .*?)`/.exec(README)![1]!;

/** What a script prints that pings with these permissions. */
async function ping(directory: string, flags: string[]): Promise<string> {
  const deno = join(ROOT, "node_modules/.bin/deno");
  const script = join(directory, "script.ts");
  const child = spawn(deno, [
    "run",
    "--no-prompt",
    "--no-check",
    ...flags,
    script,
  ]);
  let text = "";
  child.stdout.on("data", (chunk) => text += chunk);
  child.stderr.on("data", (chunk) => text += chunk);
  await new Promise((resolve) => child.on("close", resolve));
  return text.trim();
}

/** How a script ends with these permissions, and what it prints. */
async function run(flags: string[], ...args: string[]) {
  const deno = join(ROOT, "node_modules/.bin/deno");
  const all = ["run", "--no-prompt", "--no-check", ...flags, ...args];
  const child = spawn(deno, all);
  let text = "";
  child.stdout.on("data", (chunk) => text += chunk);
  child.stderr.on("data", (chunk) => text += chunk);
  const code = await new Promise((resolve) => child.on("close", resolve));
  return { code, text };
}

for (const kind of ["given", "private"] as const) {
  test(`spawnVmm() in a ${kind} directory needs exactly the README's permissions`, async () => {
    const scratch = mkdtempSync(join(tmpdir(), "chv-permissions-"));
    const pattern = kind === "given"
      ? /directory: "D"`: `(--allow-run=P .*?)`/
      : /for temporary files: `(--allow-run=P .*?)`/;
    const script = join(scratch, "script.ts");
    const directory = join(scratch, "vmm");
    const deno = realpathSync(join(ROOT, "node_modules/deno/deno"));
    const fake = join(ROOT, "testing/cloud-hypervisor.ts");
    writeFileSync(
      script,
      `import { spawnVmm } from ${JSON.stringify(join(ROOT, "src/process.ts"))};
       const command = ${JSON.stringify([deno, "run", "-A", fake])};
       const directory = ${JSON.stringify(directory)};
       const vmm = await spawnVmm({ command, ${
        kind === "given" ? "directory" : ""
      } });
       for await (const _ of vmm.events()) break;
       console.log((await vmm.stop()).step);`,
    );
    const flags = pattern.exec(README)![1]!
      .replaceAll(/=P\b/g, `=${deno}`)
      .replaceAll(/([=:])D\b/g, `$1${directory}`)
      .replaceAll(/=T\b/g, `=${tmpdir()}`)
      .split(" ");
    assert.equal(flags.length, 5);
    const before = readdirSync(tmpdir());
    assert.deepEqual(await run(flags, script), {
      code: 0,
      text: "vmm.shutdown\n",
    });
    const without = flags.map((_, i) => flags.filter((_, j) => j !== i));
    if (kind === "private") {
      // The narrow line does not do for a path that is not known before.
      const narrow = (flag: string) =>
        flag === "--allow-net" ? `${flag}=192.0.2.1:80` : flag;
      without.push(flags.map(narrow));
    }
    for (const some of without) {
      const { code, text } = await run(some, script);
      assert.equal(code, 1, text);
      assert.match(text, /NotCapable|runtime_permission|permissions deny/);
    }
    assert.deepEqual(readdirSync(scratch), ["script.ts"]);
    const left = readdirSync(tmpdir()).filter((name) =>
      name.startsWith("chv-vmm-") && !before.includes(name)
    );
    assert.deepEqual(left, []);
    rmSync(scratch, { recursive: true });
  });
}

test("readEvents() needs to read its file, and nothing else", async () => {
  const scratch = mkdtempSync(join(tmpdir(), "chv-permissions-"));
  const events = join(scratch, "events");
  writeFileSync(events, "garbage");
  writeFileSync(
    join(scratch, "script.ts"),
    `import { readEvents } from ${JSON.stringify(join(ROOT, "src/events.ts"))};
     const ended = Promise.resolve();
     for await (const { event } of readEvents(${
      JSON.stringify(events)
    }, { ended })) console.log(event);`,
  );
  assert.ok(README.includes("`./events`    | `--allow-read=<file>`"));
  const script = join(scratch, "script.ts");
  assert.deepEqual(await run([`--allow-read=${events}`], script), {
    code: 0,
    text: "unreadable\n",
  });
  assert.match((await run([], script)).text, /NotCapable/);
  rmSync(scratch, { recursive: true });
});

test("Deno needs exactly the permissions of the README", async () => {
  assert.equal(
    FLAGS,
    "--allow-read=S --allow-write=S --allow-net=unix:S,192.0.2.1:80",
  );
  const server = await serve((socket) => socket.write(reply(200, '{"pid":7}')));
  const directory = mkdtempSync(join(tmpdir(), "chv-permissions-"));
  writeFileSync(
    join(directory, "script.ts"),
    `import { createClient } from ${JSON.stringify(join(ROOT, "mod.ts"))};
     const { vmm } = createClient(${JSON.stringify(server.path)});
     console.log(await vmm.ping().then(() => "pong", (error) =>
       error.code + " " + error.message));`,
  );
  const fill = (flags: string): string[] =>
    flags.replaceAll(/\bS\b/g, server.path).split(" ");
  const all = fill(FLAGS);
  assert.equal(await ping(directory, all), "pong");

  const without = [
    ...all.map((_, i) => all.filter((_, j) => j !== i)),
    fill(FLAGS.replace(",192.0.2.1:80", "")),
    fill(FLAGS.replace("unix:S,", "")),
  ];
  assert.equal(without.length, 5);
  const outcomes = await Promise.all(
    without.map((flags) => ping(directory, flags)),
  );
  for (const outcome of outcomes) {
    assert.match(outcome, /^runtime_permission /);
    assert.ok(outcome.includes(all.join(" ")), outcome);
  }
  rmSync(directory, { recursive: true });
  await server.close();
});
