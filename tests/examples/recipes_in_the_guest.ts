/** The examples that reach their guest. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { guestElf } from "../../examples/guest.ts";
import { EXAMPLES, type Form, type Script, start } from "../support/script.ts";
import { prepareSshd } from "../support/sshd.ts";
import { sparse } from "../support/vmms.ts";
import { guestProgram, hasCompiler } from "../guest/support.ts";

/** The small guest's prompt. */
const PROMPT = "guest login: ";

export async function runner(directory: string, form: Form): Promise<void> {
  const image = sparse(join(directory, "image"));
  const run = (job: string, env = {}, kernel?: string): Script => {
    const more = kernel === undefined ? [] : [kernel];
    return start("runner", [image, job, ...more], directory, form, {
      // For the fake of a compiled script, which cannot give it a module.
      FAKE_VMM_GUEST: pathToFileURL(join(EXAMPLES, "scripted_guest.ts")).href,
      FAKE_VMM_FILES: "any",
      ...env,
    });
  };
  if (form.binary === undefined) {
    assert.match(await run("echo hi\necho job").ended(0), /^hi\njob\n$/m);
    const long = `${"echo a long job\n".repeat(200)}exit 3`;
    const text = await run(long).ended(3);
    assert.equal(text.match(/^a long job$/gm)?.length, 200);
    const late = run("exit 0", { PROMPT: "never", JOB_MINUTES: "0.02" });
    assert.match(await late.ended(125), /TimeoutError/);
  } else {
    // The guest of a few hundred bytes has no shell.
    const kernel = join(directory, "job.elf");
    writeFileSync(kernel, guestElf("login: ", "halt"));
    const late = run("exit 0", { JOB_MINUTES: "0.02" }, kernel);
    assert.match(await late.ended(125), /TimeoutError/);
    writeFileSync(kernel, guestElf("too early\r\n", "power off"));
    const ended = await run("exit 0", {}, kernel).ended(125);
    assert.match(ended, /VMM exited.*last seen: "too early/);
    if (hasCompiler()) {
      const job = `${"echo a job in the guest\n".repeat(20)}exit 3`;
      const text = await run(job, { PROMPT }, guestProgram()).ended(3);
      assert.equal(text.match(/^a job in the guest$/gm)?.length, 20);
    }
  }
  const missing = start("runner", ["/missing", "job"], directory, form);
  assert.match(await missing.ended(125), /no such file[^]*'\/missing'/i);
}

/** Logs in, runs a command, and copies a file. */
export async function console(directory: string, form: Form): Promise<void> {
  if (form.binary === undefined) {
    const text = await start("console", [], directory, form).ended();
    assert.match(text, /^Linux 6\.12\.0$\n^a file from the host$/m);
  } else if (hasCompiler()) {
    const argv = [guestProgram()];
    const text = await start("console", argv, directory, form, { PROMPT })
      .ended();
    assert.match(text, /^micro guest$\n^a file from the host$/m);
  }
}

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
