import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { reply, serve } from "./server.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const README = readFileSync(join(ROOT, "README.md"), "utf8");

/** The flags of the README's line, with `S` for the socket. */
const FLAGS = /deno run (--allow-read=S .*) script\.ts/.exec(README)![1]!;

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
