/** What the rules say where no recording has looked, on both releases. */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { FakeVmm } from "../testing/mod.ts";
import { fake, real, type Subject } from "./conformance.ts";
import { exchange, workspace } from "./replay.ts";

type Body = Record<string, unknown>;

interface Space {
  /** The fake, if the scenario runs against it. */
  readonly vmm: FakeVmm | undefined;
  put(operation: string, body?: unknown): Promise<[number, unknown]>;
  info(): Promise<Body & { state: string; config: Record<string, Body> }>;
}

async function within(
  subject: Subject,
  body: (space: Space) => Promise<void>,
): Promise<void> {
  const space = workspace();
  const vmm = await subject.start(space);
  const ask = async (method: string, operation: string, body?: unknown) => {
    const answer = await exchange(
      vmm.socketPath,
      {
        method,
        path: `/api/v1/${operation}`,
        ...(body !== undefined && { body }),
      },
      space.path,
    );
    return [answer.status, answer.body] as [number, unknown];
  };
  try {
    await body({
      vmm: vmm.fake,
      put: (operation, body) => ask("PUT", operation, body),
      info: async () => (await ask("GET", "vm.info"))[1] as never,
    });
  } finally {
    await vmm.end();
    space.remove();
  }
}

const cpus = { boot_vcpus: 1, max_vcpus: 1, nested: false };
const payload = { kernel: "$TMP/guest.elf" };
const small = { cpus, payload, console: { mode: "Off" } };
const shared = { size: 1 << 29, shared: true };
const group = { id: "g", rate_limiter_config: { ops: null } };

/** A configuration that breaks one rule, and what a boot says to it. */
const broken: readonly (readonly [Body, string, (400 | 409)?])[] = [
  [{ payload: null }, "No bootitem provided: neither firmware nor kernel"],
  [
    { payload: { kernel: "/k", firmware: "/f" } },
    "Specifying a kernel is not supported when a firmware is provided",
  ],
  [
    { cpus: { boot_vcpus: 2, max_vcpus: 1 } },
    "Max CPUs (1) lower than boot CPUs (2)",
  ],
  [
    { cpus: { boot_vcpus: 1, max_vcpus: 8193 } },
    "Too many CPUs: specified 8193 but 8192 is the limit",
  ],
  [{ rate_limit_groups: [group] }, "Invalid rate-limiter group"],
  [
    { disks: [{ path: "/a", vhost_socket: "/b" }] },
    "Disk path and vhost socket both provided",
  ],
  [
    { disks: [{ vhost_user: true, vhost_socket: "/b" }] },
    "Using vhost-user requires using shared memory or huge pages",
  ],
  [
    { memory: shared, disks: [{ vhost_user: true }] },
    "No socket provided when using vhost-user",
  ],
  [
    { disks: [{ path: "/a", rate_limit_group: "g" }] },
    "Invalid rate-limiter group",
  ],
  [{ disks: [{ path: "/a", pci_segment: 1 }] }, "Invalid PCI segment id: 1"],
  [
    { platform: { iommu_segments: [0] }, disks: [{ path: "/a" }] },
    "Device is on an IOMMU PCI segment (0) but not placed behind IOMMU",
  ],
  [
    { disks: [{ path: "/a", pci_device_id: 32 }] },
    "Given PCI device ID (32) is out of the supported range of 0..32",
  ],
  [
    { disks: [{ path: "/a", pci_device_id: 0 }] },
    "Given PCI device ID (0) is reserved",
  ],
  [
    { disks: [{ path: "/a", num_queues: 2 }] },
    "Queue count (2) must not exceed boot vCPUs (1)",
  ],
  [
    { disks: [{ path: "/a", queue_size: 3 }] },
    "Queue size must be a power of 2 no greater than 32768: 3",
  ],
  [
    { disks: [{ path: "/a", queue_size: 2 }] },
    "Block queue size must be greater than 2: 2",
  ],
  [
    { disks: [{ path: "/a", serial: "x".repeat(21) }] },
    "Block device serial length (21) exceeds maximum allowed length (20)",
  ],
  [
    { disks: [{ path: "/a", id: "d" }, { path: "/b", id: "d" }] },
    "Identifier d is not unique",
    409,
  ],
  [
    { net: [{ num_queues: 1 }] },
    "Number of queues (1) to virtio_net should be higher than 2",
  ],
  [
    { net: [{ num_queues: 4 }] },
    "Queue count (4) must not exceed boot vCPUs (1)",
  ],
  [
    { net: [{ mtu: 1279 }] },
    "Provided MTU 1279 is lower than 1280 (expected by VIRTIO specification)",
  ],
  [
    { net: [{ offload_csum: false }] },
    '"offload_tso" and "offload_ufo" depend on "offload_csum"',
  ],
  [{ net: [{ mask: "255.0.0.0" }] }, "Mask provided without an IP"],
  [{ net: [{ ip: "10.0.0.1" }] }, "IP provided without a mask"],
  [
    { memory: shared, fs: [{ tag: "t", socket: "/s", iommu: true }] },
    "Device does not support being placed behind IOMMU",
  ],
  [
    {
      memory: shared,
      generic_vhost_user: [
        { socket: "/s", device_type: 26, queue_sizes: [128, 100] },
      ],
    },
    "Queue size must be a power of 2 no greater than 32768: 100",
  ],
  [
    { cpus: { boot_vcpus: 1, max_vcpus: 1, topology: topology(1, 1, 1, 0) } },
    "No part of the CPU topology can be zero",
  ],
  [
    { cpus: { boot_vcpus: 1, max_vcpus: 4, topology: topology(4, 1, 1, 1) } },
    "CPU topology supports at most 2 threads per core",
  ],
  [
    { cpus: { boot_vcpus: 1, max_vcpus: 4, topology: topology(1, 1, 1, 1) } },
    "Product of CPU topology parts does not match maximum vCPU",
  ],
  [
    { memory: { size: 1 << 29, hugepage_size: 1 << 21 } },
    "Huge page size specified but huge pages not enabled",
  ],
  [
    { memory: { ...shared, mergeable: true } },
    "Invalid to set both 'mergeable' and 'shared' for memory",
  ],
  [
    { user_devices: [{ socket: "/s" }] },
    "Using user devices requires using shared memory or huge pages",
  ],
  [{ vsock: { cid: 2, socket: "/s" } }, "2 is a special VSOCK CID"],
  [
    { balloon: { size: 1 << 29 } },
    "Balloon size (536870912) greater than RAM (536870912)",
  ],
  [
    { devices: [{ path: "/sys/a" }, { path: "/sys/a" }] },
    "Duplicated device path: /sys/a",
    409,
  ],
  [{ devices: [{}] }, "VFIO device config must specify `path=` or `fd=`"],
  [
    {
      platform: { vfio_p2p_dma: false },
      devices: [{ path: "/a", x_nv_gpudirect_clique: 1 }],
    },
    "Device with x_nv_gpudirect_clique requires vfio_p2p_dma=on",
  ],
  [
    { devices: [{ path: "/a", x_exclude_mmap_bars: [6] }] },
    "Invalid VFIO excluded-mmap BAR index: 6",
  ],
  [
    { numa: [{ guest_numa_id: 0 }] },
    "Invalid NUMA configuration: numa config must specify either device_id " +
    "or cpus/memory_zones",
  ],
  [
    { numa: [{ guest_numa_id: 1, cpus: [0], pci_segments: [0] }] },
    "Default PCI segment assigned to non-zero NUMA node 1",
  ],
  [
    { pci_segments: [{ mmio32_aperture_weight: 0 }] },
    "Invalid PCI segment aperture weight: 0",
  ],
  [
    { platform: { num_pci_segments: 97 } },
    "Number of PCI segments (97) not in range of 1 to 96",
  ],
  [
    { platform: { iommu_address_width_bits: 65 } },
    "IOMMU address width in bits (65) should be less than or equal to 64",
  ],
  [
    { platform: { iommufd_fd: 5 } },
    "Platform `iommufd_fd=<fd>` requires `iommufd=on`",
  ],
  [
    { landlock_rules: [{ path: "/nope", access: "rw" }] },
    'Path "/nope" provided in landlock-rules does not exist',
  ],
];

function topology(
  threads_per_core: number,
  cores_per_die: number,
  dies_per_package: number,
  packages: number,
): Body {
  return { threads_per_core, cores_per_die, dies_per_package, packages };
}

/** What the memory manager says at boot, whatever else is wrong. */
const memory: readonly (readonly [Body, string])[] = [
  [
    { size: 4097 },
    "Memory size is misaligned with default page size or its hugepage size",
  ],
  [{ size: 0 }, "No memory zones found"],
  [
    { size: 4096, zones: [{ id: "z", size: 4096 }] },
    "Memory configuration is not valid",
  ],
  [
    { size: 4096, hotplugged_size: 4096 },
    "Memory configuration is not valid",
  ],
  [
    { size: 0, zones: [{ id: "z", size: 4096, hotplug_size: 4096 }] },
    "Invalid hotplug method associated with memory zones resizing capability",
  ],
];

const space = workspace();
const vmm = await real(space);
space.remove();

const subjects = [fake("v54.0-dev"), fake("v53.0")];
// Why there is none, the replay says.
if (typeof vmm !== "string") subjects.push(vmm);

for (const subject of subjects) {
  const old = subject.release === "v53.0";

  test(`${subject.name}: validates at boot, not at create`, () =>
    within(subject, async ({ put }) => {
      for (const [config, message, status = 400] of broken) {
        assert.equal((await put("vm.create", { ...small, ...config }))[0], 204);
        const above = message.includes("bootitem") ||
            message.includes("Specifying")
          ? ["Payload configuration is not bootable"]
          : [];
        assert.deepEqual(await put("vm.boot"), [old ? 500 : status, [
          "Error from API",
          "The VM could not boot",
          "Failed to validate config",
          ...above,
          message,
        ]]);
        assert.equal((await put("vm.delete"))[0], 204);
      }
      for (const [config, message] of memory) {
        await put("vm.create", { cpus, memory: config });
        assert.deepEqual(await put("vm.boot"), [500, [
          "Error from API",
          "The VM could not boot",
          "Memory manager error",
          message,
        ]]);
        await put("vm.delete");
      }
    }));

  test(`${subject.name}: validates the whole of it when a device is added`, () =>
    within(subject, async ({ put, info }) => {
      const memory = { size: 1 << 30, hugepages: true, hugepage_size: 3 << 20 };
      await put("vm.create", { ...small, memory });
      assert.deepEqual(await put("vm.add-disk", { path: "/a" }), [
        old ? 500 : 400,
        [
          "Error from API",
          "The disk could not be added to the VM",
          "Failed to validate config",
          "Huge page size is not power of 2: 3145728",
        ],
      ]);
      assert.equal((await info()).config["disks"], undefined);
    }));

  test(`${subject.name}: names a reserved id in its own words`, () =>
    within(subject, async ({ put }) => {
      await put("vm.create", { ...small, disks: [{ path: "/a", id: "__x" }] });
      const words = old ? "is not invalid" : "is not valid";
      const [, chain] = await put("vm.boot");
      assert.equal((chain as string[]).at(-1), `Identifier __x ${words}`);
    }));

  test(`${subject.name}: keeps what a failed boot has built`, () =>
    within(subject, async ({ put, info }) => {
      const kernel = { ...small, payload: { kernel: "$TMP/notakernel" } };
      await put("vm.create", kernel);
      assert.equal((await put("vm.boot"))[0], 500);
      const half = await info();
      assert.equal(half.state, "Created");
      assert.ok(half["device_tree"]);
      assert.equal((await put("vm.boot"))[0], 500);
      assert.equal((await put("vm.pause"))[0], 204);
      assert.equal((await info()).state, "Paused");
      assert.equal((await put("vm.shutdown"))[0], 204);
      assert.equal((await info())["device_tree"], undefined);
      await put("vm.delete");

      const disks = [{ path: "$TMP/disk.img" }, { path: "/nope" }];
      await put("vm.create", { ...small, disks });
      assert.equal((await put("vm.boot"))[0], 500);
      assert.equal((await info()).config["disks"], undefined);
    }));

  test(`${subject.name}: fills in ids, addresses and image types`, () =>
    within(subject, async ({ put, info }) => {
      await put("vm.create", {
        ...small,
        disks: [{ path: "$TMP/disk.img" }],
        net: [{}],
        vsock: { cid: 3, socket: "$TMP/vs" },
      });
      assert.equal((await put("vm.boot"))[0], 204);
      const { config } = await info();
      const [disk] = config["disks"] as unknown as Body[];
      const [net] = config["net"] as unknown as Body[];
      assert.deepEqual([disk!["id"], disk!["image_type"]], ["_disk0", "Raw"]);
      assert.equal(net!["id"], "_net1");
      assert.match(String(net!["mac"]), /^2e(:[\da-f]{2}){5}$/);
      assert.equal(config["vsock"]!["id"], "_vsock2");
      assert.deepEqual(await put("vm.add-vsock", { cid: 4, socket: "/x" }), [
        500,
        [
          "Error from API",
          "The vsock device could not be added to the VM",
          "Too many virtio-vsock devices",
        ],
      ]);
    }));

  test(`${subject.name}: waits for the guest to let a device go`, () =>
    within(subject, async ({ put, vmm }) => {
      await put("vm.create", small);
      await put("vm.boot");
      const disk = { path: "$TMP/disk.img", id: "d" };
      const added = [200, { id: "d", bdf: "0000:00:02.0" }];
      assert.deepEqual(await put("vm.add-disk", disk), added);
      assert.equal((await put("vm.remove-device", { id: "d" }))[0], 204);
      assert.equal((await put("vm.add-disk", disk))[0], 500);
      const refused = await put("vm.remove-device", { id: "__rng" });
      assert.deepEqual(refused, [500, [
        "Error from API",
        "The device could not be removed from the VM",
        "Error from device manager",
        "Not allowed to remove this type of device from the VM: rng",
      ]]);
      // The guest of the real one has no driver that would.
      if (vmm === undefined) return;
      vmm.act({ eject: "d" });
      const { properties } = await vmm.event("device-removed");
      assert.deepEqual(properties, { id: "d", bdf: "0000:00:02.0" });
      assert.deepEqual(await put("vm.add-disk", disk), added);
    }));

  test(`${subject.name}: resizes by the method of the memory`, () =>
    within(subject, async ({ put, info }) => {
      const gib = 1 << 30;
      await put("vm.create", {
        ...small,
        memory: { size: gib, hotplug_size: gib, hotplug_method: "VirtioMem" },
      });
      await put("vm.boot");
      const below = await put("vm.resize", { desired_ram: gib / 2 });
      assert.equal(
        (below[1] as string[]).at(-1),
        "Invalid resize request: desired_size = 536870912 below boot size = " +
          "1073741824",
      );
      assert.equal(
        (await put("vm.resize", { desired_ram: gib + (1 << 29) }))[0],
        204,
      );
      const { config, memory_actual_size: actual } = await info();
      assert.equal(config["memory"]!["hotplugged_size"], 1 << 29);
      assert.equal(actual, gib);
    }));

  test(`${subject.name}: checks a migration before it starts`, () =>
    within(subject, async ({ put }) => {
      const bad = await put("vm.receive-migration", { receiver_url: "tcp:x" });
      assert.deepEqual(bad, [500, [
        "Error from API",
        "Error receiving migration",
        "Failed to receive migratable component snapshot",
        "Invalid receive migration configuration",
        ...old
          ? [
            "Error validating receive migration parameters: receiver_url must " +
            "use tcp:<host>:<port> or unix:<path>: Missing TCP port.",
          ]
          : [
            "Expected receiver_url in the form of either `tcp:<host>:<port>` " +
            "or `unix:<path>:`",
            "Missing TCP port",
          ],
      ]]);
      await put("vm.create", small);
      await put("vm.boot");
      const send = async (body: Body) => {
        const [, chain] = await put("vm.send-migration", body);
        return (chain as string[]).at(-1);
      };
      const destination_url = "unix:$TMP/m";
      const prefix = "Error validating send migration parameters: ";
      assert.equal(
        await send({ destination_url, connections: 2 }),
        `${prefix}UNIX sockets and connections option cannot be used at the ` +
          "same time.",
      );
      assert.equal(
        await send({ destination_url, local: true }),
        "Local migration requires shared memory or hugepages enabled",
      );
      assert.match(
        String(await send({ destination_url, downtime_ms: 0 })),
        /^invalid value: integer `0`, expected a nonzero u64 at line 1 column/,
      );
    }));
}
