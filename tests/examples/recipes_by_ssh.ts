/** The examples that reach their guest. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type Form, start } from "../support/script.ts";
import { prepareSshd } from "../support/sshd.ts";

export async function ssh(directory: string, form: Form): Promise<void> {
  const sshd = prepareSshd(directory);
  // A directory of its own, in which no cloud-hypervisor is.
  const bin = join(directory, "bin");
  mkdirSync(bin);
  for (const name of ["ssh", "scp"]) {
    const { stdout } = spawnSync("sh", ["-c", `command -v ${name}`], {
      encoding: "utf8",
    });
    symlinkSync(stdout.trim(), join(bin, name));
  }
  const env = { PATH: bin, FAKE_SSHD: `exec ${sshd.join(" ")}` };
  const key = join(directory, "key");
  const text = await start("ssh", [key], directory, form, env).ended();
  assert.match(
    text,
    /^VMM: the fake.*\nhello from the guest\na file from the host\nand back$/m,
  );
  // The guest closes each connection.
  const refused = start("ssh", [key], directory, form, { PATH: bin });
  assert.match(await refused.ended(1), /ssh ended with 255/);
}
