/** Scenarios of the project's own, which `tools/record.ts` records. */
import type { RecordedRequest } from "../support/recordings.ts";
import { bodies } from "./replay_bodies.ts";

/** An operation with its body, a GET, or a whole request. */
type Step =
  | readonly [operation: string, body?: unknown]
  | string
  | RecordedRequest;

/** A request in the form of the recordings. */
export function requestOf(step: Step): RecordedRequest {
  if (typeof step === "string") {
    return { method: "GET", path: `/api/v1/${step}` };
  }
  if (!Array.isArray(step)) return step as RecordedRequest;
  const [operation, body] = step;
  const request = { method: "PUT", path: `/api/v1/${operation}` };
  return body === undefined ? request : { ...request, body };
}

const payload = { kernel: "$TMP/guest.elf" };
const cpus = { boot_vcpus: 1, max_vcpus: 4, nested: false };
const console = { mode: "Off" };
const MIB = 1 << 20;
const base = {
  payload,
  cpus,
  console,
  memory: { size: 128 * MIB, hotplug_size: 256 * MIB },
};

const info = "vm.info";
const boot: Step = ["vm.boot"];
const forget: Step = ["vm.delete"];

function create(config: object = {}): Step {
  return ["vm.create", { ...base, ...config }];
}

function add(path: string, more: object = {}): Step {
  return ["vm.add-disk", { path: `$TMP/${path}`, ...more }];
}

function ram(desired_ram: number): Step {
  return ["vm.resize", { desired_ram }];
}

function vcpus(desired_vcpus: number): Step {
  return ["vm.resize", { desired_vcpus }];
}

function zone(id: string, desired_ram: number): Step {
  return ["vm.resize-zone", { id, desired_ram }];
}

function remove(id: string): Step {
  return ["vm.remove-device", { id }];
}

function put(operation: string, rawBody: string): Step {
  return { method: "PUT", path: `/api/v1/${operation}`, rawBody };
}

function raw(...lines: string[]): Step {
  return { raw: `${lines.join("\r\n")}\r\n\r\n` };
}

/** Every operation that has another answer in another state. */
const everything: readonly Step[] = [
  boot,
  ["vm.pause"],
  ["vm.resume"],
  "vm.counters",
  ["vm.snapshot", { destination_url: "file://$TMP/nodir" }],
  ["vm.coredump", { destination_url: "file://$TMP/core" }],
  ["vm.coredump", { destination_url: "file://$TMP/core" }],
  ["vm.coredump", { destination_url: "$TMP/core" }],
  ["vm.restore", { source_url: "file://$TMP/snap" }],
  vcpus(2),
  ["vm.resize-disk", { id: "x", desired_size: 512 }],
  zone("x", 512),
  remove("x"),
  remove("__serial"),
  remove("__rng"),
  remove("_virtio-pci-__rng"),
  add("disk.img", { id: "q" }),
  remove("_virtio-pci-q"),
  remove("q"),
  ["vm.send-migration", { destination_url: "x" }],
  info,
  ["vm.reboot"],
  info,
];

const notAKernel = { payload: { kernel: "$TMP/notakernel" } };

/** The scenarios by name. */
export const scenarios: { readonly [name: string]: readonly Step[] } = {
  "states: none": everything,
  "states: created": [create(), ...everything.slice(1)],
  "states: boot failed": [create(notAKernel), boot, info, ...everything],
  "states: running": [create(), boot, ...everything.slice(2)],
  "states: paused": [create(), boot, ["vm.pause"], ...everything],
  "bodies of vm.create": bodies.flatMap((body) => [
    put("vm.create", body),
    forget,
  ]),
  "bodies of others": [
    put("vm.resize", "[1]"),
    put("vm.resize", "[null,null,null]"),
    put("vm.resize", "[1,2,3,4]"),
    put("vm.remove-device", "{}"),
    put("vm.remove-device", '["x"]'),
    put("vm.remove-device", "[]"),
    put("vm.resize-disk", '{"id":"x"}'),
    put("vm.restore", "{}"),
    put("vm.restore", '{"source_url":"x","memory_restore_mode":"x"}'),
    put("vm.restore", '{"source_url":"x","net_fds":[{"id":"x","num_fds":1}]}'),
    put("vm.restore", '{"source_url":"x","vfio_fds":[]}'),
    put("vm.send-migration", '{"destination_url":"unix:x","connections":0}'),
    put("vm.send-migration", '{"destination_url":"unix:x","timeout_s":-1}'),
    put("vm.send-migration", '{"destination_url":"unix:x","downtime_ms":1.5}'),
    put("vm.receive-migration", '{"receiver_url":"unix:"}'),
    put("vm.receive-migration", '{"receiver_url":"tcp::1"}'),
    put("vm.receive-migration", '{"receiver_url":"tcp:1.2.3.4:99999"}'),
    put("vm.receive-migration", '{"receiver_url":"tcp:1.2.3.4:x"}'),
    put("vm.receive-migration", '{"receiver_url":"tcp:[::1"}'),
    put("vm.receive-migration", '{"receiver_url":"tcp:[::1]"}'),
    put("vm.receive-migration", '{"receiver_url":"unix:/nope/x"}'),
    put("vm.receive-migration", '{"receiver_url":"unix:/x","tls_dir":"/y"}'),
    put(
      "vm.receive-migration",
      '{"receiver_url":"tcp:1.2.3.4:5","tls_dir":"/y"}',
    ),
    put("vm.add-disk", "null"),
    put("vm.add-disk", "[]"),
    put("vm.add-user-device", "5"),
  ],
  "consoles": ["Off", "Pty", "Tty", "Null"].flatMap((mode): Step[] => [
    create({ console: { mode }, serial: { mode }, debug_console: { mode } }),
    boot,
    forget,
  ]),
  "consoles that do not open": [
    create({ console: { mode: "Socket", socket: "$TMP/c" } }),
    info,
    create(),
    forget,
    create({ serial: { mode: "File", file: "/nope/x" } }),
    info,
  ],
  "devices of a boot": [
    create({
      watchdog: true,
      pvpanic: true,
      iommu: true,
      rtc: {},
      balloon: { size: MIB },
      disks: [
        { path: "$TMP/disk.img", pci_device_id: 5 },
        { path: "$TMP/disk2.img", iommu: true, readonly: true },
      ],
      pmem: [{ file: "$TMP/disk2.img", discard_writes: true }],
      vsock: { cid: 3, socket: "$TMP/vs" },
    }),
    boot,
    info,
    "vm.counters",
    ...[
      "_disk1",
      "__pvpanic",
      "__watchdog",
      "__balloon",
      "__iommu",
      "_vsock3",
      "__rtc",
    ].map(remove),
    info,
  ],
  "PCI segments": [
    create({
      platform: {
        num_pci_segments: 3,
        iommu_segments: [2],
        serial_number: "s",
        oem_strings: ["a"],
      },
      disks: [
        { path: "$TMP/disk.img", pci_segment: 1 },
        { path: "$TMP/disk2.img", pci_segment: 2, iommu: true, readonly: true },
      ],
    }),
    boot,
    info,
    add("disk2.img", { readonly: true, pci_segment: 1, pci_device_id: 9 }),
    add("disk2.img", { readonly: true, pci_segment: 1, pci_device_id: 9 }),
    add("disk2.img", { readonly: true, iommu: true }),
    add("disk2.img", { readonly: true, pci_segment: 2 }),
    add("disk2.img", { readonly: true, pci_segment: 3 }),
    info,
  ],
  "two devices in a slot": [
    create({
      disks: ["disk", "disk2"].map((name) => ({
        path: `$TMP/${name}.img`,
        pci_device_id: 5,
      })),
    }),
    boot,
    info,
  ],
  "memory zones": [
    create({
      memory: {
        size: 0,
        hotplug_method: "VirtioMem",
        zones: [
          { id: "m0", size: 128 * MIB, hotplug_size: 128 * MIB },
          { id: "m1", size: 64 * MIB },
        ],
      },
    }),
    zone("m1", 128 * MIB),
    boot,
    info,
    zone("m0", 192 * MIB),
    zone("m0", 192 * MIB),
    zone("m0", 1),
    zone("m0", 128 * MIB + 1),
    zone("m0", 1280 * MIB),
    zone("m1", 256 * MIB),
    ram(256 * MIB),
    info,
  ],
  "memory by virtio-mem": [
    create({
      memory: {
        size: 128 * MIB,
        hotplug_size: 256 * MIB,
        hotplug_method: "VirtioMem",
      },
    }),
    boot,
    ...[256, 256, 64, 128, 1024].map((mib) => ram(mib * MIB)),
    info,
    ["vm.reboot"],
    info,
  ],
  "memory and vCPUs by ACPI": [
    create(),
    boot,
    ...[256, 128, 256, 384, 512].map((mib) => ram(mib * MIB)),
    ...[1, 3, 2, 2, 3, 1].map(vcpus),
    info,
    ["vm.reboot"],
    info,
  ],
  "memory that cannot grow": [
    create({ memory: { size: 128 * MIB } }),
    boot,
    ram(256 * MIB),
    ram(128 * MIB),
    ["vm.resize", { desired_balloon: 5 }],
  ],
  "disks": [
    create({ disks: [{ path: "$TMP/disk.img", id: "a" }] }),
    boot,
    ["vm.resize-disk", { id: "a", desired_size: 100 }],
    ["vm.resize-disk", { id: "a", desired_size: 32 * MIB }],
    add("disk.img", { readonly: true }),
    add("disk2.img", { image_type: "Qcow2" }),
    add("notakernel"),
    add(""),
    ["vm.add-disk", {}],
    add("disk2.img", { id: "__x" }),
    add("disk2.img", { id: "_virtio-pci-a" }),
    add("disk2.img", { readonly: true, id: "r1" }),
    add("disk2.img", { readonly: true, id: "r2" }),
    add("disk2.img", { id: "r3" }),
    remove("a"),
    add("disk.img", { id: "b" }),
    ["vm.resize-disk", { id: "a", desired_size: 512 }],
    ["vm.add-pmem", { file: "/nope" }],
    ["vm.add-pmem", { file: "$TMP" }],
    ["vm.add-pmem", { file: "$TMP/notakernel" }],
    info,
    "vm.counters",
    ["vm.reboot"],
    info,
  ],
  "an image that is locked": [
    create({
      disks: [{ path: "$TMP/disk.img" }, { path: "$TMP/disk.img", id: "z" }],
    }),
    boot,
    info,
    ["vm.shutdown"],
    boot,
  ],
  "payloads that do not load": [
    { kernel: "/nope" },
    { kernel: "$TMP" },
    { firmware: "/nope", cmdline: "x" },
    { kernel: "$TMP/guest.elf", initramfs: "/nope" },
    { kernel: "$TMP/disk.img" },
  ].flatMap((payload): Step[] => [create({ payload }), boot, info, forget]),
  "a snapshot with devices": [
    create({ disks: [{ path: "$TMP/disk.img" }], balloon: { size: MIB } }),
    boot,
    add("disk2.img", { id: "hot" }),
    ["vm.pause"],
    ["vm.snapshot", { destination_url: "file://$TMP/snap" }],
    forget,
    ["vm.restore", { source_url: "file://$TMP" }],
    ["vm.restore", { source_url: "$TMP" }],
    ["vm.restore", { source_url: "file://$TMP/snap" }],
    info,
    ["vm.resume"],
    ["vm.resume"],
    ["vm.reboot"],
    info,
  ],
  "migrations that do not start": [
    create(),
    boot,
    ...[
      { destination_url: "unix:/nope", local: true },
      { destination_url: "tcp:1.2.3.4:5", local: true },
      { destination_url: "tcp:1.2.3.4:5", connections: 129 },
      {
        destination_url: "tcp:1.2.3.4:5",
        connections: 2,
        memory_mode: "Postcopy",
      },
      { destination_url: "tcp:1.2.3.4:5", tls_dir: "/nope" },
      { destination_url: "tcp:1.2.3.4:5", tls_dir: "$TMP" },
    ].map((body): Step => ["vm.send-migration", body]),
    ["vm.receive-migration", { receiver_url: "unix:$TMP/x" }],
  ],
  "NUMA nodes": [
    [{ guest_numa_id: 0, cpus: [0] }, { guest_numa_id: 0, cpus: [1] }],
    [{
      guest_numa_id: 0,
      cpus: [0],
      distances: [{ destination: 1, distance: 20 }],
    }],
    [{ guest_numa_id: 0, memory_zones: ["x"] }],
    [{ guest_numa_id: 0, device_id: "", cpus: [1] }],
  ].flatMap((numa): Step[] => [create({ numa }), boot, forget]),
  "defaults": [
    ["vm.create", {
      payload,
      disks: [{
        rate_limiter_config: { bandwidth: { size: 1, refill_time: 2 } },
      }],
      fs: [{ tag: "t", socket: "s" }],
      generic_vhost_user: [{ socket: "s", device_type: 1, queue_sizes: [] }],
      pmem: [{ file: "x" }],
      devices: [{ path: "x", fd: 7 }],
      user_devices: [{ socket: "s" }],
      vdpa: [{ path: "x" }],
      vsock: { cid: 3, socket: "s" },
      numa: [{ guest_numa_id: 1, distances: [{}] }],
      pci_segments: [{}],
      platform: { iommufd_fd: 3 },
      tpm: { socket: "s" },
      landlock_rules: [{ path: "x", access: "r" }],
      rate_limit_groups: [{}],
      balloon: { size: 1 },
      debug_console: { mode: "Off" },
      rtc: {},
      memory: { size: 4096, zones: [{ id: "z", size: 1 }] },
    }],
    info,
    forget,
    ["vm.create", {}],
    info,
    boot,
  ],
  "requests as bytes": [
    raw("PUT  /api/v1/vm.counters HTTP/1.1"),
    raw("GET /api/v1/vm.counters"),
    raw("GET /api/v1/vm.counters HTTP/1.1 "),
    raw("GET http:///api/v1/vm.counters HTTP/1.1"),
    raw("GET http:// HTTP/1.1"),
    raw("GET /api/v1/vm.nope HTTP/1.1", `A: ${"b".repeat(1019)}`),
    raw("GET /api/v1/vm.nope HTTP/1.1", ...Array(400).fill("A: b")),
    raw("PUT /api/v1/vm.delete HTTP/1.1", "Content-Length: +0"),
    raw("PUT /api/v1/vm.create HTTP/1.1", "Content-Length: -1"),
    raw("PUT /api/v1/vm.create HTTP/1.1", "Content-Length: 4294967296"),
    raw("PUT /api/v1/vm.create HTTP/1.1", "Content-Length: 4294967295"),
    raw("GET /api/v1/vm.nope HTTP/1.1", "Accept-Encoding:"),
    raw("GET /api/v1/vm.nope HTTP/1.1", "Accept-Encoding: gzip, *;q=0"),
    raw("GET /api/v1/vm.nope HTTP/1.1", "Accept-Encoding: identity, *;q=0"),
    raw("GET /api/v1/vm.nope HTTP/1.1", "Content-Type: x", "Expect: y"),
    raw("PATCH /api/v1/vm.create HTTP/1.1"),
    raw("PATCH /api/v1/vm.boot HTTP/1.1"),
    raw("DELETE /api/v1/vm.create HTTP/1.1"),
    raw("PATCH /api/v1/vmm.shutdown HTTP/1.1"),
    raw("GET /api/v1/vmm.shutdown HTTP/1.1"),
    raw("GET /api/v1/vm.create HTTP/1.1"),
    put("vm.nmi", "x"),
    raw("GET /é HTTP/1.1"),
    raw("GET /api/v1/vm.nope HTTP/1.1", "X: é"),
  ],
};
