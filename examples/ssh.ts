// Runs as it is where the package is installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" in the imports.
import {
  guestCredentials,
  sshCommand,
  waitForReady,
} from "@chv/cloud-hypervisor/guest";
import { spawnVmm } from "@chv/cloud-hypervisor/process";
import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

/**
 * Boots a disk with systemd 256 or later, runs a command in the guest by ssh
 * through vsock, and copies a file in and out:
 * `ssh.ts <private key> [firmware] [disk]`. The public key is in the file
 * `<private key>.pub`. Takes the installed cloud-hypervisor, else the fake with
 * a scripted guest, whose sshd is the command `FAKE_SSHD`. Not tried with a
 * Linux guest.
 */
const [identity, kernel = "/boot/CLOUDHV.fd", disk] = process.argv.slice(2);
if (identity === undefined) {
  console.error("usage: ssh.ts <private key> [firmware] [disk]");
  process.exit(2);
}
const authorizedKeys = readFileSync(`${identity}.pub`, "utf8");
const guest = new URL("./scripted_guest.ts", import.meta.url);
const program = fakeUnlessInstalled({ files: "any", guest });
console.log(`VMM: ${program.name}`);
const vmm = await spawnVmm(program);
try {
  await vmm.client.vm.create({
    payload: { kernel },
    cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
    memory: { size: 1 << 30 },
    ...disk && { disks: [{ path: disk, image_type: "Raw" as const }] },
    serial: { mode: "Off" },
    console: { mode: "Off" },
    vsock: { cid: 3, socket: join(vmm.directory, "vsock") },
    platform: {
      oem_strings: guestCredentials({ readyPort: 8888, authorizedKeys }),
    },
  });
  await waitForReady(vmm, {
    boot: () => vmm.client.vm.boot(),
    timeoutMs: 120_000,
  });

  const [ssh, ...args] = await sshCommand(vmm, { identity });
  await run(ssh, [...args, "echo hello from the guest"]);

  // scp takes the options of ssh, and the destination in each remote path.
  const options = args.slice(0, -1);
  const destination = args.at(-1);
  const file = join(vmm.directory, "file");
  const copy = join(vmm.directory, "copy");
  writeFileSync(file, "a file from the host\n");
  const remote = `/tmp/file-${vmm.pid}`;
  await run("scp", ["-q", ...options, file, `${destination}:${remote}`]);
  await run(ssh, [...args, `echo and back >> ${remote}`]);
  await run("scp", ["-q", ...options, `${destination}:${remote}`, copy]);
  await run(ssh, [...args, `rm ${remote}`]);
  console.log(readFileSync(copy, "utf8").trimEnd());
} finally {
  await vmm.stop({ timeoutMs: 5000 });
}

/** Runs a program, and rejects when it fails. */
function run(name: string, args: readonly string[]): Promise<void> {
  const child = spawn(name, args, { stdio: ["ignore", "inherit", "inherit"] });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${name} ended with ${code ?? signal}`));
    });
  });
}
