/** Configurations that break one rule each, and what a boot says to them. */

export type Body = Record<string, unknown>;

export const cpus = { boot_vcpus: 1, max_vcpus: 1, nested: false };
const payload = { kernel: "$TMP/guest.elf" };
/** One that boots. */
export const small: Body = { cpus, payload, console: { mode: "Off" } };
const shared = { size: 1 << 29, shared: true };
const group = { id: "g", rate_limiter_config: { ops: null } };

/**
 * The broken field, the VMM's message, the value that it is about (none where
 * only a host can tell), and HEAD's status.
 */
export const broken:
  readonly (readonly [Body, string, string, (400 | 409)?])[] = [
    [
      { payload: null },
      "No bootitem provided: neither firmware nor kernel",
      "payload",
    ],
    [
      { payload: { kernel: "/k", firmware: "/f" } },
      "Specifying a kernel is not supported when a firmware is provided",
      "payload.kernel",
    ],
    [
      { cpus: { boot_vcpus: 2, max_vcpus: 1 } },
      "Max CPUs (1) lower than boot CPUs (2)",
      "cpus.max_vcpus",
    ],
    [
      { cpus: { boot_vcpus: 1, max_vcpus: 8193 } },
      "Too many CPUs: specified 8193 but 8192 is the limit",
      "cpus.max_vcpus",
    ],
    [
      { rate_limit_groups: [group] },
      "Invalid rate-limiter group",
      "rate_limit_groups[0].rate_limiter_config",
    ],
    [
      { disks: [{ path: "/a", vhost_socket: "/b" }] },
      "Disk path and vhost socket both provided",
      "disks[0].vhost_socket",
    ],
    [
      { disks: [{ vhost_user: true, vhost_socket: "/b" }] },
      "Using vhost-user requires using shared memory or huge pages",
      "disks[0].vhost_user",
    ],
    [
      { memory: shared, disks: [{ vhost_user: true }] },
      "No socket provided when using vhost-user",
      "disks[0].vhost_socket",
    ],
    [
      { disks: [{ path: "/a", rate_limit_group: "g" }] },
      "Invalid rate-limiter group",
      "disks[0].rate_limit_group",
    ],
    [
      { disks: [{ path: "/a", pci_segment: 1 }] },
      "Invalid PCI segment id: 1",
      "disks[0].pci_segment",
    ],
    [
      { platform: { iommu_segments: [0] }, disks: [{ path: "/a" }] },
      "Device is on an IOMMU PCI segment (0) but not placed behind IOMMU",
      "disks[0].iommu",
    ],
    [
      { disks: [{ path: "/a", pci_device_id: 32 }] },
      "Given PCI device ID (32) is out of the supported range of 0..32",
      "disks[0].pci_device_id",
    ],
    [
      { disks: [{ path: "/a", pci_device_id: 0 }] },
      "Given PCI device ID (0) is reserved",
      "disks[0].pci_device_id",
    ],
    [
      { disks: [{ path: "/a", num_queues: 2 }] },
      "Queue count (2) must not exceed boot vCPUs (1)",
      "disks[0].num_queues",
    ],
    [
      { disks: [{ path: "/a", queue_size: 3 }] },
      "Queue size must be a power of 2 no greater than 32768: 3",
      "disks[0].queue_size",
    ],
    [
      { disks: [{ path: "/a", queue_size: 2 }] },
      "Block queue size must be greater than 2: 2",
      "disks[0].queue_size",
    ],
    [
      { disks: [{ path: "/a", serial: "x".repeat(21) }] },
      "Block device serial length (21) exceeds maximum allowed length (20)",
      "disks[0].serial",
    ],
    [
      { disks: [{ path: "/a", id: "d" }, { path: "/b", id: "d" }] },
      "Identifier d is not unique",
      "disks[1].id",
      409,
    ],
    [
      { net: [{ num_queues: 1 }] },
      "Number of queues (1) to virtio_net should be higher than 2",
      "net[0].num_queues",
    ],
    [
      { net: [{ num_queues: 4 }] },
      "Queue count (4) must not exceed boot vCPUs (1)",
      "net[0].num_queues",
    ],
    [
      { net: [{ mtu: 1279 }] },
      "Provided MTU 1279 is lower than 1280 (expected by VIRTIO specification)",
      "net[0].mtu",
    ],
    [
      { net: [{ offload_csum: false }] },
      '"offload_tso" and "offload_ufo" depend on "offload_csum"',
      "net[0].offload_csum",
    ],
    [
      { net: [{ mask: "255.0.0.0" }] },
      "Mask provided without an IP",
      "net[0].mask",
    ],
    [{ net: [{ ip: "10.0.0.1" }] }, "IP provided without a mask", "net[0].ip"],
    [
      { memory: shared, fs: [{ tag: "t", socket: "/s", iommu: true }] },
      "Device does not support being placed behind IOMMU",
      "fs[0].iommu",
    ],
    [
      {
        memory: shared,
        generic_vhost_user: [
          { socket: "/s", device_type: 26, queue_sizes: [128, 100] },
        ],
      },
      "Queue size must be a power of 2 no greater than 32768: 100",
      "generic_vhost_user[0].queue_sizes",
    ],
    [
      { cpus: { boot_vcpus: 1, max_vcpus: 1, topology: topology(1, 1, 1, 0) } },
      "No part of the CPU topology can be zero",
      "cpus.topology",
    ],
    [
      { cpus: { boot_vcpus: 1, max_vcpus: 4, topology: topology(4, 1, 1, 1) } },
      "CPU topology supports at most 2 threads per core",
      "cpus.topology.threads_per_core",
    ],
    [
      { cpus: { boot_vcpus: 1, max_vcpus: 4, topology: topology(1, 1, 1, 1) } },
      "Product of CPU topology parts does not match maximum vCPU",
      "cpus.topology",
    ],
    [
      { memory: { size: 1 << 29, hugepage_size: 1 << 21 } },
      "Huge page size specified but huge pages not enabled",
      "memory.hugepage_size",
    ],
    [
      { memory: { ...shared, mergeable: true } },
      "Invalid to set both 'mergeable' and 'shared' for memory",
      "memory.mergeable",
    ],
    [
      { user_devices: [{ socket: "/s" }] },
      "Using user devices requires using shared memory or huge pages",
      "user_devices",
    ],
    [
      { vsock: { cid: 2, socket: "/s" } },
      "2 is a special VSOCK CID",
      "vsock.cid",
    ],
    [
      { balloon: { size: 1 << 29 } },
      "Balloon size (536870912) greater than RAM (536870912)",
      "balloon.size",
    ],
    [
      { devices: [{ path: "/sys/a" }, { path: "/sys/a" }] },
      "Duplicated device path: /sys/a",
      "devices[1].path",
      409,
    ],
    [
      { devices: [{}] },
      "VFIO device config must specify `path=` or `fd=`",
      "devices[0].path",
    ],
    [
      {
        platform: { vfio_p2p_dma: false },
        devices: [{ path: "/a", x_nv_gpudirect_clique: 1 }],
      },
      "Device with x_nv_gpudirect_clique requires vfio_p2p_dma=on",
      "devices[0].x_nv_gpudirect_clique",
    ],
    [
      { devices: [{ path: "/a", x_exclude_mmap_bars: [6] }] },
      "Invalid VFIO excluded-mmap BAR index: 6",
      "devices[0].x_exclude_mmap_bars",
    ],
    [
      { numa: [{ guest_numa_id: 0 }] },
      "Invalid NUMA configuration: numa config must specify either device_id " +
      "or cpus/memory_zones",
      "numa[0]",
    ],
    [
      { numa: [{ guest_numa_id: 1, cpus: [0], pci_segments: [0] }] },
      "Default PCI segment assigned to non-zero NUMA node 1",
      "numa[0].pci_segments[0]",
    ],
    [
      { pci_segments: [{ mmio32_aperture_weight: 0 }] },
      "Invalid PCI segment aperture weight: 0",
      "pci_segments[0].mmio32_aperture_weight",
    ],
    [
      { platform: { num_pci_segments: 97 } },
      "Number of PCI segments (97) not in range of 1 to 96",
      "platform.num_pci_segments",
    ],
    [
      { platform: { iommu_address_width_bits: 65 } },
      "IOMMU address width in bits (65) should be less than or equal to 64",
      "platform.iommu_address_width_bits",
    ],
    [
      { platform: { iommufd_fd: 5 } },
      "Platform `iommufd_fd=<fd>` requires `iommufd=on`",
      "platform.iommufd_fd",
    ],
    [
      { landlock_rules: [{ path: "/nope", access: "rw" }] },
      'Path "/nope" provided in landlock-rules does not exist',
      "",
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

/** Refusals of the memory manager at the boot, which come first. */
export const memory: readonly (readonly [Body, string, string])[] = [
  [
    { size: 4097 },
    "Memory size is misaligned with default page size or its hugepage size",
    "memory.size",
  ],
  [{ size: 0 }, "No memory zones found", "memory.zones"],
  [
    { size: 4096, zones: [{ id: "z", size: 4096 }] },
    "Memory configuration is not valid",
    "memory.zones",
  ],
  [
    { size: 4096, hotplugged_size: 4096 },
    "Memory configuration is not valid",
    "memory.hotplugged_size",
  ],
  [
    { size: 0, zones: [{ id: "z", size: 4096, hotplug_size: 4096 }] },
    "Invalid hotplug method associated with memory zones resizing capability",
    "memory.zones[0].hotplug_size",
  ],
];
