/** Pairs of configurations on both sides of the limit of a rule. */
import { type Body, cpus } from "./broken_configs.ts";

/** A value that the VMM accepts, and one that it refuses at the boot. */
export interface Limit {
  readonly good: Body;
  readonly bad: Body;
  /** The path of the value that is refused. */
  readonly path: string;
  /** A part of the message. */
  readonly message: RegExp;
}

const MIB = 1 << 20;
const kernel = "/boot/vmlinux";
const uuid = "01234567-89ab-4cde-8f01-23456789abcd";

/** A path of so many bytes. */
export function pathOfLength(bytes: number): string {
  return "/" + "v".repeat(bytes - 1);
}

const socket = pathOfLength(107);
const long = pathOfLength(108);
const SUN_LEN = /path must be shorter than SUN_LEN; use at most 107 bytes/;
const shared = { memory: { size: 512 * MIB, shared: true } };

/** A number of nets; the VM has a device for random numbers, too. */
function nets(count: number, net: Body = {}): Body {
  return { net: Array.from({ length: count }, () => net) };
}

function cmdline(text: string): Body {
  return { payload: { kernel, cmdline: text } };
}

function port(iobase: number, more: Body = {}): Body {
  return { debug_console: { mode: "File", file: "/d", iobase }, ...more };
}

function address(ip: string, mask: string): Body {
  return { net: [{ ip, mask }] };
}

function memory(memory: Body): Body {
  return { memory: { size: 512 * MIB, ...memory } };
}

function zones(...zones: Body[]): Body {
  const hotplug_method = "VirtioMem";
  return { memory: { size: 0, hotplug_method, zones } };
}

const NON_ASCII = /non-printable ASCII character\.; replace /;
const BUSY = /already used: 5; "disks\[0\]" has this slot/;
const FULL = /Could not find an available device slot on the PCI bus/;
const LOCKED = /The file is already locked; "disks\[0\]" has the same image/;
const NAME = /Unable to configure tap interface .*Invalid argument/;
const NOT_HOST = /Setting tap IP and\/or netmask failed: /;
const PORT = /Failed to allocate IO port; another device has the ports 0x/;
const UUID = /Failure to parse uuid: .*use a UUID such as/;
const VIRTIO_MEM = /Virtio-mem size is not aligned.*a multiple of 128 MiB/;
const EMPTY = /No such file or directory/;
const NUL = /NUL byte|null bytes/;

export const limits: readonly Limit[] = [
  ...["console", "debug_console"].map((key): Limit => ({
    good: { [key]: { mode: "Pty" } },
    bad: { [key]: { mode: "Socket" } },
    path: `${key}.mode`,
    message: /No socket option support.*use "Pty" or "File"/,
  })),
  {
    good: { disks: [{ path: "/a", readonly: true }] },
    bad: { disks: [{ readonly: true }] },
    path: "disks[0].path",
    message: /No disk path was specified.*give the "path" of an image/,
  },
  {
    good: { ...shared, disks: [{ vhost_user: true, vhost_socket: "/s" }] },
    bad: { ...shared, disks: [{ vhost_socket: "/s" }] },
    path: "disks[0].path",
    message: /No disk path was specified.*set "vhost_user" to true/,
  },
  ...["/a", "//a", "/./a", "/.//./a"].map((path): Limit => ({
    good: { disks: [{ path: "/a" }, { path: `${path}b` }] },
    bad: { disks: [{ path: "/a" }, { path }] },
    path: "disks[1].path",
    message: LOCKED,
  })),
  {
    good: {
      disks: [{ path: "/a", readonly: true }, { path: "/a", readonly: true }],
    },
    bad: { disks: [{ path: "/a", readonly: true }, { path: "/a" }] },
    path: "disks[1].path",
    message: LOCKED,
  },
  {
    good: { disks: [{ path: "/a" }, { path: "/b", readonly: true }] },
    bad: { disks: [{ path: "/a" }, { path: "/a", readonly: true }] },
    path: "disks[1].path",
    message: LOCKED,
  },
  ...(
    [
      ["net[0]", { net: [{ pci_device_id: 5 }] }],
      ["pmem[0]", { pmem: [{ file: "/p", pci_device_id: 5 }] }],
      ["vdpa[0]", { vdpa: [{ path: "/v", pci_device_id: 5 }] }],
      ["devices[0]", { devices: [{ path: "/v", pci_device_id: 5 }] }],
    ] as const
  ).map(([path, device]): Limit => ({
    good: { disks: [{ path: "/a", pci_device_id: 6 }], ...device },
    bad: { disks: [{ path: "/a", pci_device_id: 5 }], ...device },
    path: `${path}.pci_device_id`,
    message: BUSY,
  })),
  {
    good: {
      platform: { num_pci_segments: 2 },
      net: [{ pci_device_id: 5 }, { pci_device_id: 5, pci_segment: 1 }],
    },
    bad: { net: [{ pci_device_id: 5 }, { pci_device_id: 5 }] },
    path: "net[1].pci_device_id",
    message: /already used: 5; "net\[0\]" has this slot/,
  },
  {
    good: {
      console: { mode: "Off", pci_device_id: 5 },
      net: [{ pci_device_id: 5 }],
    },
    bad: {
      console: { mode: "Null", pci_device_id: 5 },
      net: [{ pci_device_id: 5 }],
    },
    path: "net[0].pci_device_id",
    message: /already used: 5; "console" has this slot/,
  },
  { good: nets(30), bad: nets(31), path: "net[30]", message: FULL },
  ...(
    [
      { watchdog: true },
      { pvpanic: true },
      { balloon: { size: MIB } },
      { rtc: {} },
      { vsock: { cid: 3, socket } },
      { console: { mode: "Null" } },
      memory({ hotplug_size: 128 * MIB, hotplug_method: "VirtioMem" }),
    ] as Body[]
  ).map((more): Limit => ({
    good: { ...nets(29), ...more },
    bad: { ...nets(30), ...more },
    path: "net[29]",
    message: FULL,
  })),
  {
    good: nets(29, { iommu: true }),
    bad: nets(30, { iommu: true }),
    path: "net[29]",
    message: FULL,
  },
  {
    good: {
      platform: { num_pci_segments: 2 },
      ...nets(32, { pci_segment: 1 }),
    },
    bad: { platform: { num_pci_segments: 2 }, ...nets(33, { pci_segment: 1 }) },
    path: "net[32]",
    message: FULL,
  },
  ...(
    [
      [uuid, "web-1"],
      [`{${uuid}}`, ""],
      [`urn:uuid:${uuid}`, ` ${uuid}`],
      [uuid.toUpperCase(), `URN:UUID:${uuid}`],
      [uuid.replaceAll("-", ""), `{${uuid.replaceAll("-", "")}}`],
      [uuid, uuid.replace("-4", "4-")],
      [uuid, uuid.replace("d", "g")],
    ] as const
  ).flatMap(([good, bad]) =>
    ["system_uuid", "uuid"].map((key): Limit => ({
      good: { platform: { [key]: good } },
      bad: { platform: { [key]: bad } },
      path: `platform.${key}`,
      message: UUID,
    }))
  ),
  ...(
    [
      ["abcdefghijklmno", "abcdefghijklmnop", /Interface name too long/],
      ["üüüüüüü", "üüüüüüüü", /Interface name too long.*it has 16 bytes/],
      ["tap%d", "tap%s", NAME],
      ["tap%d", "%d%d", NAME],
      ["", ".", NAME],
      ["...", "..", NAME],
      ["ü", "à", NAME],
      ...["a/b", "a:b", "a b", "a\tb", "a\nb", "a\0b"]
        .map((name) => ["a-b", name, NAME] as const),
    ] as const
  ).map(([good, bad, message]): Limit => ({
    good: { net: [{ tap: good }] },
    bad: { net: [{ tap: bad }] },
    path: "net[0].tap",
    message,
  })),
  {
    good: { net: [{ tap: "t" }, { tap: "u" }, { tap: "" }, { tap: "" }] },
    bad: { net: [{ tap: "t" }, { tap: "t" }] },
    path: "net[1].tap",
    message: /Device or resource busy.*"net\[0\]" has the same interface/,
  },
  {
    good: {
      cpus: { ...cpus, boot_vcpus: 2, max_vcpus: 2 },
      net: [{ tap: "t", num_queues: 4 }, { tap: "t", num_queues: 4 }],
    },
    bad: {
      cpus: { ...cpus, boot_vcpus: 2, max_vcpus: 2 },
      net: [{ tap: "t", num_queues: 4 }, { tap: "t", num_queues: 2 }],
    },
    path: "net[1].tap",
    message: /Device or resource busy/,
  },
  ...(
    [
      ["0.0.0.1", "0.0.0.0"],
      ["223.255.255.255", "224.0.0.1"],
      ["240.0.0.1", "239.255.255.255"],
    ] as const
  ).map(([good, bad]): Limit => ({
    good: address(good, "255.255.255.0"),
    bad: address(bad, "255.255.255.0"),
    path: "net[0].ip",
    message: NOT_HOST,
  })),
  ...(
    [
      ["fd00::1", "::"],
      ["::2", "::1"],
      ["feff::1", "ff02::1"],
      ["::ffff:10.0.0.1", "ff00::"],
    ] as const
  ).map(([good, bad]): Limit => ({
    good: address(good, "ffff::"),
    bad: address(bad, "ffff::"),
    path: "net[0].ip",
    message: NOT_HOST,
  })),
  ...(
    [
      ["10.0.0.1", "255.255.0.0", "255.0.255.0"],
      ["10.0.0.1", "0.0.0.0", "0.0.0.255"],
      ["10.0.0.1", "255.255.255.255", "254.255.255.255"],
      ["10.0.0.1", "ffff:0:ffff::", "127.0.0.0"],
      ["fd00::1", "ffff::", "ffff:0:ffff::"],
      ["fd00::1", "::", "255.255.255.0"],
      ["fd00::1", "ffff:fffe::", "ffff:fffd::"],
    ] as const
  ).map(([ip, good, bad]): Limit => ({
    good: address(ip, good),
    bad: address(ip, bad),
    path: "net[0].mask",
    message: NOT_HOST,
  })),
  {
    good: { net: [{ mtu: 65_521 }] },
    bad: { net: [{ mtu: 65_522 }] },
    path: "net[0].mtu",
    message: /Setting MTU failed.*use 1280 to 65521/,
  },
  ...["01:00:00:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"]
    .map((bad): Limit => ({
      good: { net: [{ host_mac: "00:00:00:00:00:01", mac: bad }] },
      bad: { net: [{ host_mac: bad }] },
      path: "net[0].host_mac",
      message: /Setting MAC address failed.*the first byte must be even/,
    })),
  ...(
    [
      ["a b\n", "a\nb"],
      ["\u00a0a\u2003", "\ufeffa"],
      ["\u0085a~", "a\x7f"],
      [" a ", "a\tb"],
      ["a", "ä"],
      ["", "\0"],
    ] as const
  ).map(([good, bad]): Limit => ({
    good: cmdline(good),
    bad: cmdline(bad),
    path: "payload.cmdline",
    message: NON_ASCII,
  })),
  {
    good: { payload: { firmware: "/f", cmdline: "ä\0" } },
    bad: cmdline("ä\0"),
    path: "payload.cmdline",
    message: /replace "ä" at index 0/,
  },
  {
    good: cmdline("a".repeat(65_535)),
    bad: cmdline("a".repeat(65_536)),
    path: "payload.cmdline",
    message: /would make command line too long/,
  },
  ...(
    [
      [0x60, 0x61],
      [0x65, 0x64],
      [0x72, 0x71],
      [0x81, 0x80],
      [0xe9, 0x402],
      [0x3f7, 0x3f8],
      [0x400, 0x3ff],
      [0x5ff, 0x600],
      [0x60c, 0x60b],
      [0xcf7, 0xcf8],
      [0xd00, 0xcff],
      [0xfffe, 0xffff],
    ] as const
  ).map(([good, bad]): Limit => ({
    good: port(good),
    bad: port(bad),
    path: "debug_console.iobase",
    message: PORT,
  })),
  {
    good: port(0x3f8, { serial: { mode: "Off" } }),
    bad: port(0x3f8),
    path: "debug_console.iobase",
    message: /the ports 0x3f8 to 0x3ff/,
  },
  {
    good: { debug_console: { mode: "Pty", iobase: 0x600 } },
    bad: port(0x600),
    path: "debug_console.iobase",
    message: PORT,
  },
  {
    good: memory({}),
    bad: memory({ hotplug_size: 0 }),
    path: "memory.hotplug_size",
    message: /Can be anything except 0; leave "hotplug_size" out/,
  },
  {
    good: zones({ id: "z", size: 512 * MIB }),
    bad: zones({ id: "z", size: 512 * MIB, hotplug_size: 0 }),
    path: "memory.zones[0].hotplug_size",
    message: /Can be anything except 0/,
  },
  {
    good: memory({ hotplug_size: 128 * MIB, hotplug_method: "VirtioMem" }),
    bad: memory({ hotplug_size: 127 * MIB, hotplug_method: "VirtioMem" }),
    path: "memory.hotplug_size",
    message: VIRTIO_MEM,
  },
  {
    good: memory({ hotplug_size: 256 * MIB, hotplug_method: "VirtioMem" }),
    bad: memory({ hotplug_size: 192 * MIB, hotplug_method: "VirtioMem" }),
    path: "memory.hotplug_size",
    message: VIRTIO_MEM,
  },
  {
    good: { vsock: { cid: 4_294_967_294, socket } },
    bad: { vsock: { cid: 4_294_967_295, socket } },
    path: "vsock.cid",
    message: /must be 3 to 4294967294, not 4294967295/,
  },
  {
    good: { net: [{ mtu: 1280 }] },
    bad: { net: [{ mtu: 1279 }] },
    path: "net[0].mtu",
    message: /1280/,
  },
  {
    good: memory({ hotplug_size: 1 }),
    bad: memory({ hotplug_size: 1024, hotplug_method: "VirtioMem" }),
    path: "memory.hotplug_size",
    message: /sizes are in bytes: write 1073741824 for 1024 MiB/,
  },
  {
    good: zones({ id: "z", size: 512 * MIB, hotplug_size: 256 * MIB }),
    bad: zones({ id: "z", size: 512 * MIB, hotplug_size: 255 * MIB }),
    path: "memory.zones[0].hotplug_size",
    message: VIRTIO_MEM,
  },
  ...[MIB, 3 * MIB].map((hotplugged_size): Limit => ({
    good: memory({
      hotplug_size: 128 * MIB,
      hotplugged_size: 2 * MIB,
      hotplug_method: "VirtioMem",
    }),
    bad: memory({
      hotplug_size: 128 * MIB,
      hotplugged_size,
      hotplug_method: "VirtioMem",
    }),
    path: "memory.hotplugged_size",
    message: /Failed to resize virtio-mem.*a multiple of 2 MiB/,
  })),
  {
    good: zones({ id: "a", size: 4096 }, { id: "b", size: 512 * MIB }),
    bad: zones({ id: "a", size: 0 }, { id: "b", size: 512 * MIB }),
    path: "memory.zones[0].size",
    message: /Error from region creation/,
  },
  {
    good: memory({ size: MIB }),
    bad: memory({ size: MIB - 4096 }),
    path: "memory.size",
    message: /./,
  },
  {
    good: memory({ size: 513 * 4096 }),
    bad: memory({ size: 513 }),
    path: "memory.size",
    message: /misaligned.*sizes are in bytes: write 537919488 for 513 MiB/,
  },
  ...["/s", "//s", "/./s"].map((other): Limit => ({
    good: {
      serial: { mode: "Socket", socket: "/s" },
      vsock: { cid: 3, socket: `${other}t` },
    },
    bad: {
      serial: { mode: "Socket", socket: "/s" },
      vsock: { cid: 3, socket: other },
    },
    path: "vsock.socket",
    message: /Address already in use.*"serial\.socket" is the same socket/,
  })),
  {
    good: {
      disks: [{ path: "/a", id: "mem0" }],
      ...memory({ hotplug_size: 1 }),
    },
    bad: {
      disks: [{ path: "/a", id: "mem0" }],
      ...memory({ hotplug_size: 128 * MIB, hotplug_method: "VirtioMem" }),
    },
    path: "disks[0].id",
    message: /Identifier mem0 is not unique; "memory" has this id/,
  },
  {
    good: { pmem: [{ file: "/p", size: 2 * MIB }, { file: "/p" }] },
    bad: { pmem: [{ file: "/p", size: 3 * MIB }] },
    path: "pmem[0].size",
    message: /not multiple of 2MiB; use a multiple of 2097152/,
  },
  {
    good: { pmem: [{ file: "/p" }] },
    bad: { pmem: [{ file: "/p", size: 0 }] },
    path: "pmem[0].size",
    message: /Cannot find a memory range.*leave "size" out/,
  },
  ...(
    [
      ["vsock.socket", (socket) => ({ vsock: { cid: 3, socket } })],
      ["serial.socket", (socket) => ({ serial: { mode: "Socket", socket } })],
      ["tpm.socket", (socket) => ({ tpm: { socket } })],
      ["fs[0].socket", (socket) => ({ ...shared, fs: [{ tag: "t", socket }] })],
      [
        "user_devices[0].socket",
        (socket) => ({ ...shared, user_devices: [{ socket }] }),
      ],
      ["generic_vhost_user[0].socket", (socket) => ({
        ...shared,
        generic_vhost_user: [{ socket, device_type: 26, queue_sizes: [128] }],
      })],
      ...["disks", "net"].map((key) =>
        [
          `${key}[0].vhost_socket`,
          (vhost_socket: string): Body => ({
            ...shared,
            [key]: [{ vhost_user: true, vhost_socket }],
          }),
        ] as const
      ),
    ] as readonly (readonly [string, (socket: string) => Body])[]
  ).flatMap(([path, body]): Limit[] => [
    { good: body(socket), bad: body(long), path, message: SUN_LEN },
    { good: body(socket), bad: body("/\0"), path, message: NUL },
    {
      good: body(`/${"ü".repeat(53)}`),
      bad: body(`/${"ü".repeat(54)}`),
      path,
      message: SUN_LEN,
    },
  ]),
  ...(
    [
      ["payload.kernel", (path) => ({ payload: { kernel: path } })],
      ["payload.firmware", (path) => ({ payload: { firmware: path } })],
      ["payload.initramfs", (initramfs) => ({
        payload: { kernel, initramfs },
      })],
      ["disks[0].path", (path) => ({ disks: [{ path }] })],
      ["pmem[0].file", (file) => ({ pmem: [{ file }] })],
      ["rng.src", (src) => ({ rng: { src } })],
      ["devices[0].path", (path) => ({ devices: [{ path }] })],
      ["vdpa[0].path", (path) => ({ vdpa: [{ path }] })],
      [
        "memory.zones[0].file",
        (file) => zones({ id: "z", size: 512 * MIB, file }),
      ],
      ["landlock_rules[0].path", (path) => ({
        landlock_rules: [{ path, access: "r" }],
      })],
      ...["console", "serial", "debug_console"].map((key) =>
        [
          `${key}.file`,
          (file: string): Body => ({ [key]: { mode: "File", file } }),
        ] as const
      ),
    ] as readonly (readonly [string, (path: string) => Body])[]
  ).flatMap(([path, body]): Limit[] => [
    { good: body("/x"), bad: body("/\0"), path, message: NUL },
    { good: body("x"), bad: body(""), path, message: EMPTY },
    {
      good: body(pathOfLength(4095)),
      bad: body(pathOfLength(4096)),
      path,
      message: /File name too long/,
    },
  ]),
];
