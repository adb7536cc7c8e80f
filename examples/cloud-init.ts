// Runs as it is where the package is installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" in the imports.
import {
  guestCredentials,
  seedImage,
  waitForReady,
} from "@chv/cloud-hypervisor/guest";
import { spawnVmm } from "@chv/cloud-hypervisor/process";
import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

/**
 * Boots a cloud image with a seed disk of user data for cloud-init, and waits
 * until systemd reports that the guest is ready: after cloud-init, which is one
 * of the services that systemd starts: `cloud-init.ts [firmware] [disk]`. Needs
 * systemd 254 or later in the image. Takes the installed cloud-hypervisor, else
 * the fake with a scripted guest. Not tried with a Linux guest.
 */
const [kernel = "/boot/CLOUDHV.fd", path = "/var/lib/images/cloud.raw"] =
  process.argv.slice(2);
const guest = new URL("./scripted_guest.ts", import.meta.url);
const program = fakeUnlessInstalled({ files: "any", guest });
console.log(`VMM: ${program.name}`);
const vmm = await spawnVmm(program);
try {
  const seed = join(vmm.directory, "seed");
  const name = `vm-${vmm.pid}`;
  // JSON is YAML too.
  const userData = {
    hostname: name,
    users: [{ name: "ci", shell: "/bin/bash", lock_passwd: true }],
    write_files: [{ path: "/etc/motd", content: "made by cloud-init\n" }],
    runcmd: [["touch", "/var/tmp/seeded"]],
  };
  writeFileSync(
    seed,
    seedImage({
      // cloud-init runs again for each new instance-id.
      "meta-data": JSON.stringify({ "instance-id": name }),
      "user-data": `#cloud-config\n${JSON.stringify(userData)}\n`,
    }),
  );
  await vmm.client.vm.create({
    payload: { kernel },
    cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
    memory: { size: 1 << 30 },
    disks: [
      { path, image_type: "Raw" },
      { path: seed, image_type: "Raw", readonly: true },
    ],
    serial: { mode: "Off" },
    console: { mode: "Off" },
    vsock: { cid: 3, socket: join(vmm.directory, "vsock") },
    platform: { oem_strings: guestCredentials({ readyPort: 8888 }) },
  });
  await waitForReady(vmm, {
    boot: () => vmm.client.vm.boot(),
    timeoutMs: 300_000,
  });
  const { config } = await vmm.client.vm.info();
  console.log(`${name} is ready, with ${config.disks?.length} disks`);
} finally {
  await vmm.stop({ timeoutMs: 5000 });
}
