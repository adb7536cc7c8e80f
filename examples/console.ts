// Runs as it is where the package is installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" in the imports.
import { spawnVmm } from "@chv/cloud-hypervisor/process";
import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
import { Buffer } from "node:buffer";
import process from "node:process";

/**
 * Boots a kernel, logs in on the serial port, runs a command, and copies a file
 * into the guest: `console.ts [kernel] [initramfs]`. Takes the installed
 * cloud-hypervisor, else the fake with a scripted guest. Not tried with a Linux
 * guest. `USER_NAME` is the user, who needs no password; `PROMPT` is a pattern of
 * the shell's prompt.
 */
const [kernel = "/boot/vmlinux", initramfs] = process.argv.slice(2);
const { USER_NAME: user = "root", PROMPT = "[^\\r\\n]*[#$] $" } = process.env;
const prompt = new RegExp(PROMPT);
const guest = new URL("./scripted_guest.ts", import.meta.url);
const program = fakeUnlessInstalled({ files: "any", guest });
console.log(`VMM: ${program.name}`);
const vmm = await spawnVmm({
  ...program,
  console: true,
  config: {
    payload: {
      kernel,
      cmdline: "console=ttyS0",
      ...initramfs && { initramfs },
    },
    cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
    memory: { size: 512 << 20 },
    console: { mode: "Off" },
  },
});
try {
  const serial = vmm.console!;
  const options = { prompt, timeoutMs: 30_000 };
  await serial.waitFor("login: ", { timeoutMs: 120_000 });
  await serial.write(`${user}\n`);
  await serial.waitFor(prompt, options);
  console.log(await serial.run("uname -sr", options));

  // A terminal takes lines of a few KB, and no binary data.
  const file = Buffer.from("a file from the host\n").toString("base64");
  for (const [part] of file.matchAll(/.{1,512}/g)) {
    await serial.run(`printf %s '${part}' >> /tmp/file.b64`, options);
  }
  console.log(await serial.run("base64 -d /tmp/file.b64", options));
} finally {
  await vmm.stop({ timeoutMs: 5000 });
}
