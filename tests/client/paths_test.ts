/** Paths that lead to no VMM, and those that do by a detour. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  ConnectionError,
  createClient,
  InvalidRequestError,
  unixFetch,
} from "../../mod.ts";
import { reply, serve } from "../support/server.ts";
import { testIf } from "../support/skip.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

function temporary(): string {
  return mkdtempSync(join(tmpdir(), "chv-paths-"));
}

async function fails(path: string, code: string): Promise<void> {
  await assert.rejects(createClient(path).vm.boot(), (error) => {
    assert.ok(error instanceof ConnectionError, `${error}`);
    assert.equal(error.code, code, `${path}: ${error.cause}`);
    assert.equal(error.socketPath, path);
    assert.ok(error.message.includes("vm.boot"), error.message);
    assert.ok(error.message.includes(path), error.message);
    return true;
  });
  await assert.rejects(unixFetch(path)("/"), { code });
}

test("a path where nothing is leads to socket_missing", async () => {
  await fails("/nowhere/api.sock", "socket_missing");
  const directory = temporary();
  await fails(join(directory, "api.sock"), "socket_missing");
  rmSync(directory, { recursive: true });
});

test("a path to no socket leads to refused", async () => {
  const directory = temporary();
  const file = join(directory, "file");
  writeFileSync(file, "");
  await fails(file, "refused");
  rmSync(directory, { recursive: true });
});

test("a path below a file leads to socket_missing", async () => {
  const directory = temporary();
  writeFileSync(join(directory, "file"), "");
  await fails(join(directory, "file", "api.sock"), "socket_missing");
  rmSync(directory, { recursive: true });
});

test("a socket that a dead VMM left leads to refused", async () => {
  const directory = temporary();
  const path = join(directory, "api.sock");
  // The program that creates it is killed, so nobody removes the socket.
  const script = `require("net").createServer().listen(${
    JSON.stringify(path)
  }, () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(join(ROOT, "node_modules/.bin/node"), ["-e", script]);
  await fails(path, "refused");
  rmSync(directory, { recursive: true });
});

const rootTest = testIf(
  process.getuid?.() === 0,
  "the tests do not run as root",
);

rootTest("a socket of another user leads to permission_denied", async () => {
  const directory = temporary();
  chmodSync(directory, 0o755);
  const path = join(directory, "api.sock");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  chmodSync(path, 0o700);
  // Another user reads neither the project nor this program where they are.
  const program = join(directory, "program");
  const script = join(directory, "script.js");
  copyFileSync(process.execPath, program);
  chmodSync(program, 0o755);
  const built = spawnSync(join(ROOT, "node_modules/.bin/bun"), [
    "build",
    "--target=node",
    join(ROOT, "mod.ts"),
    `--outfile=${script}`,
  ], { encoding: "utf8" });
  assert.equal(built.status, 0, built.stderr);
  writeFileSync(
    join(directory, "main.mjs"),
    `import { createClient } from "./script.js";
     createClient(${JSON.stringify(path)}).vmm.ping()
       .catch((error) => console.log(error.code));`,
  );
  writeFileSync(join(directory, "package.json"), '{"type":"module"}');
  const run = "Deno" in globalThis ? ["run", "-A", "--no-config"] : [];
  const child = spawnSync(program, [...run, join(directory, "main.mjs")], {
    uid: 65534,
    gid: 65534,
    cwd: directory,
    env: { HOME: directory, DENO_DIR: "/dev/null" },
    encoding: "utf8",
  });
  assert.equal(child.stdout, "permission_denied\n", child.stderr);
  server.close();
  rmSync(directory, { recursive: true });
});

test("a path that no socket can have is refused", () => {
  const long = `/tmp/${"a".repeat(103)}`;
  assert.equal(long.length, 108);
  for (const path of ["", "/tmp/\0", long, `/tmp/${"é".repeat(52)}`]) {
    for (const open of [createClient, unixFetch]) {
      assert.throws(
        () => open(path),
        (error) =>
          error instanceof InvalidRequestError &&
          error.code === "invalid_request" && error.field === "socketPath",
      );
    }
  }
  assert.throws(() => createClient(long), /has 108 bytes, more than 107/);
  createClient(long.slice(0, 107));
});

test("a relative path is one from the current directory", async () => {
  const server = await serve((socket) => socket.write(reply(204)));
  const away = process.cwd();
  process.chdir(join(server.path, ".."));
  const client = createClient("./api.sock");
  process.chdir(away);
  assert.equal(client.socketPath, server.path);
  await client.vm.boot();
  await server.close();
});

test("a symbolic link leads to its socket", async () => {
  const server = await serve((socket) => socket.write(reply(204)));
  const directory = temporary();
  mkdirSync(join(directory, "run"));
  const link = join(directory, "run", "api.sock");
  symlinkSync(server.path, link);
  await createClient(link).vm.boot();
  rmSync(directory, { recursive: true });
  await server.close();
});
