/** The command line of an ssh that goes through vsock. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { sshCommand } from "../../src/guest/mod.ts";
import { testIf } from "../support/skip.ts";
import { isInstalled } from "../support/installed.ts";
import { hasSshd, NO_SSHD, prepareSshd } from "../support/sshd.ts";
import { inDirectory } from "../support/vmms.ts";
import { emulateVsock } from "./emulator.ts";

/** Characters with a meaning for a shell, ssh or JavaScript. */
const NAME = `it's a "path" %h 100%%, \\n $HOME \`id\``;

for (const proxy of ["runtime", "socat"] as const) {
  testIf(
    proxy === "runtime" || isInstalled("socat"),
    "socat is not installed",
  )(
    `the proxy by ${proxy} copies both ways, whatever the path`,
    () =>
      inDirectory(async (directory) => {
        const path = join(directory, NAME);
        const guest = await emulateVsock(path, (port) => (socket) => {
          socket.write(`SSH on ${port}\n`);
          socket.pipe(socket);
        });
        try {
          const [, , option] = await sshCommand(path, { proxy });
          const command = option!.replace("ProxyCommand=", "");
          // As ssh does: its tokens first, then the shell.
          const shell = command.replaceAll("%%", "%");
          const output = await runWith(
            "sh",
            ["-c", `exec ${shell}`],
            "hello\n",
          );
          assert.equal(output, "OK 1073741824\nSSH on 22\nhello\n");
        } finally {
          await guest.close();
        }
      }),
  );

  testIf(
    hasSshd && (proxy === "runtime" || isInstalled("socat")),
    proxy === "runtime" ? NO_SSHD : `socat is not installed, or ${NO_SSHD}`,
  )(
    `ssh runs a command through vsock, by ${proxy}`,
    () =>
      inDirectory(async (directory) => {
        const sshd = prepareSshd(directory);
        const path = join(directory, NAME);
        const guest = await emulateVsock(path, (port) => {
          if (port !== 2222) return undefined;
          return (socket) => {
            const [program, ...args] = sshd;
            const child = spawn(program!, args, {
              stdio: ["pipe", "pipe", "ignore"],
            });
            socket.pipe(child.stdin);
            child.stdout.pipe(socket);
          };
        });
        try {
          const [ssh, ...args] = await sshCommand(path, {
            identity: join(directory, "key"),
            port: 2222,
            proxy,
          });
          const child = spawn(ssh, [...args, "cat; echo error >&2; exit 7"]);
          child.stdin.end("through vsock\n");
          let output = "";
          let errors = "";
          child.stdout.on("data", (chunk) => output += chunk);
          child.stderr.on("data", (chunk) => errors += chunk);
          const code = await new Promise((done) => child.on("close", done));
          assert.equal(output, "through vsock\n", errors);
          assert.equal(errors, "error\n");
          assert.equal(code, 7);
        } finally {
          await guest.close();
        }
      }),
  );
}

test("sshCommand() refuses what ssh would take for something else", async () => {
  await assert.rejects(sshCommand("/s", { user: "-oX" }), { field: "user" });
  await assert.rejects(sshCommand("/s", { port: 0.5 }), { field: "port" });
  await assert.rejects(sshCommand("", {}), { field: "path" });
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  await assert.rejects(sshCommand("/s", { signal }), reason);
});

testIf(
  "Bun" in globalThis,
  "only Bun makes a program of one file without a download",
)("a compiled script is told to use socat", () =>
  inDirectory((directory) => {
    const script = join(directory, "script.ts");
    const output = join(directory, "script");
    const entry = fileURLToPath(
      new URL("../../src/guest/mod.ts", import.meta.url),
    );
    writeFileSync(
      script,
      `import { sshCommand } from ${JSON.stringify(entry)};
      const { field, message } = await sshCommand("/s").catch((e) => e);
      console.log(field, message);
      console.log((await sshCommand("/s", { proxy: "socat" }))[0]);`,
    );
    const args = ["build", "--compile", script, "--outfile", output];
    const built = spawnSync(process.execPath, args, { encoding: "utf8" });
    assert.equal(built.status, 0, built.stderr);
    const { stdout, stderr } = spawnSync(output, { encoding: "utf8" });
    assert.match(stdout, /^proxy .*socat.*\nssh\n$/, stderr);
  }));

/** Runs a program with this input, and gives its output. */
function runWith(
  program: string,
  args: readonly string[],
  input: string,
): Promise<string> {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(input);
  let output = "";
  child.stdout.on("data", (chunk) => output += chunk);
  return new Promise((resolve) => child.on("close", () => resolve(output)));
}
