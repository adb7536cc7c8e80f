/** Requests to a VM that is known: validate(body, operation, { vm }). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type RequestName, validate } from "../../src/schema/mod.ts";
import { createClient, type VmConfig } from "../../mod.ts";
import { FakeVmm } from "../../testing/mod.ts";
import { type Body, cpus, small } from "./broken_configs.ts";

const MIB = 1 << 20;

/** The problems of a request to a VM, one line each. */
function problems(vm: Body, operation: RequestName, body: unknown): string[] {
  const config = { ...small, ...vm } as unknown as VmConfig;
  return validate(body, operation, { vm: config })
    .map(({ path, message }) => `${path}: ${message}`);
}

interface Pair {
  readonly operation: RequestName;
  readonly vm: Body;
  readonly good: Body;
  readonly bad: Body;
  /** The path and the message of the only problem. */
  readonly problem: RegExp;
}

const shared = { memory: { size: 512 * MIB, shared: true } };
const disk = { disks: [{ path: "/a", id: "d" }] };
const virtioMem = {
  memory: {
    size: 512 * MIB,
    hotplug_size: 1024 * MIB,
    hotplug_method: "VirtioMem",
  },
};
const zones = {
  memory: {
    size: 0,
    hotplug_method: "VirtioMem",
    zones: [
      { id: "a", size: 512 * MIB, hotplug_size: 512 * MIB },
      { id: "b", size: 512 * MIB },
    ],
  },
};

const pairs: readonly Pair[] = [
  {
    operation: "vm.add-disk",
    vm: disk,
    good: { path: "/b", id: "e" },
    bad: { path: "/b", id: "d" },
    problem: /^id: Identifier d is not unique/,
  },
  {
    operation: "vm.add-disk",
    vm: disk,
    good: { path: "/b" },
    bad: { path: "/a" },
    problem: /^path: .*already locked; "disks\[0\]" has the same image/,
  },
  {
    operation: "vm.add-disk",
    vm: { cpus: { ...cpus, boot_vcpus: 2, max_vcpus: 4 } },
    good: { path: "/b", num_queues: 2 },
    bad: { path: "/b", num_queues: 3 },
    problem: /^num_queues: Queue count \(3\) must not exceed boot vCPUs \(2\)/,
  },
  {
    operation: "vm.add-disk",
    vm: { platform: { num_pci_segments: 2 } },
    good: { path: "/b", pci_segment: 1 },
    bad: { path: "/b", pci_segment: 2 },
    problem: /^pci_segment: Invalid PCI segment id: 2; raise "platform/,
  },
  {
    operation: "vm.add-disk",
    vm: { rate_limit_groups: [limiter("g")] },
    good: { path: "/b", rate_limit_group: "g" },
    bad: { path: "/b", rate_limit_group: "h" },
    problem: /^rate_limit_group: Invalid rate-limiter group/,
  },
  {
    operation: "vm.add-disk",
    vm: { platform: { num_pci_segments: 2, iommu_segments: [1] } },
    good: { path: "/b", iommu: true, pci_segment: 1 },
    bad: { path: "/b", iommu: true },
    problem: /^iommu: Cannot hotplug device behind vIOMMU/,
  },
  {
    operation: "vm.add-net",
    vm: { net: [{ pci_device_id: 9, tap: "t" }] },
    good: { pci_device_id: 8, tap: "u" },
    bad: { pci_device_id: 9, tap: "u" },
    problem: /^pci_device_id: .*already used: 9; "net\[0\]" has this slot/,
  },
  {
    operation: "vm.add-net",
    vm: { net: [{ tap: "t" }] },
    good: { tap: "u" },
    bad: { tap: "t" },
    problem: /^tap: Device or resource busy/,
  },
  {
    operation: "vm.add-net",
    vm: { net: Array.from({ length: 29 }, () => ({})) },
    good: {},
    bad: { vhost_user: true, vhost_socket: "/s" },
    problem: /^vhost_user: Using vhost-user requires.*set "memory\.shared"/,
  },
  {
    operation: "vm.add-net",
    vm: {
      platform: { num_pci_segments: 2 },
      net: Array.from({ length: 30 }, () => ({})),
    },
    good: { pci_segment: 1 },
    bad: {},
    problem: /^: Could not find an available device slot/,
  },
  ...(
    [
      ["vm.add-fs", { tag: "t", socket: "/s" }],
      ["vm.add-user-device", { socket: "/s" }],
    ] as const
  ).map(([operation, body]): Pair => ({
    operation,
    vm: shared,
    good: body,
    bad: { ...body, pci_segment: 1 },
    problem: /^pci_segment: /,
  })),
  {
    operation: "vm.add-device",
    vm: { devices: [{ path: "/sys/a" }] },
    good: { path: "/sys/b" },
    bad: { path: "/sys/a" },
    problem: /^path: Duplicated device path: \/sys\/a/,
  },
  {
    operation: "vm.remove-device",
    vm: { ...disk, vsock: { cid: 3, socket: "/s", id: "v" } },
    good: { id: "_virtio-pci-v" },
    bad: { id: "e" },
    problem: /^id: Failed to find device.* e; the VM has "d", "v"/,
  },
  {
    operation: "vm.resize-disk",
    vm: disk,
    good: { id: "d", desired_size: 512 },
    bad: { id: "e", desired_size: 512 },
    problem: /^id: Failed to find device.*the VM has "d"/,
  },
  {
    operation: "vm.resize",
    vm: { cpus: { ...cpus, max_vcpus: 4 } },
    good: { desired_vcpus: 4 },
    bad: { desired_vcpus: 5 },
    problem: /^desired_vcpus: .*exceed maximum; "cpus\.max_vcpus" is 4/,
  },
  {
    operation: "vm.resize",
    vm: { balloon: { size: MIB } },
    good: { desired_balloon: 2 * MIB },
    bad: { desired_balloon: 2 * MIB, desired_vcpus: 2 },
    problem: /^desired_vcpus: /,
  },
  {
    operation: "vm.resize",
    vm: { memory: { size: 512 * MIB, hotplug_size: 1024 * MIB } },
    good: { desired_ram: 640 * MIB },
    bad: { desired_ram: 641 * MIB },
    problem: /^desired_ram: .*not a valid size; add a multiple of 128 MiB/,
  },
  {
    operation: "vm.resize",
    vm: { memory: { size: 512 * MIB, hotplug_size: 1024 * MIB } },
    good: { desired_ram: 1536 * MIB },
    bad: { desired_ram: 1664 * MIB },
    problem: /^desired_ram: Not enough space.*hotplug_size" is 1073741824/,
  },
  {
    operation: "vm.resize",
    vm: {},
    good: { desired_ram: 512 * MIB },
    bad: { desired_ram: 640 * MIB },
    problem: /^desired_ram: Not enough space.*memory\.hotplug_size/,
  },
  {
    operation: "vm.resize",
    vm: virtioMem,
    good: { desired_ram: 514 * MIB },
    bad: { desired_ram: 513 * MIB },
    problem: /^desired_ram: .*not aligned.*add a multiple of 2 MiB/,
  },
  {
    operation: "vm.resize",
    vm: virtioMem,
    good: { desired_ram: 1536 * MIB },
    bad: { desired_ram: 1538 * MIB },
    problem: /^desired_ram: .*bigger than region_size.*use at most 1610612736/,
  },
  {
    operation: "vm.resize",
    vm: virtioMem,
    good: { desired_ram: 512 * MIB },
    bad: { desired_ram: 1024 },
    problem: /^desired_ram: .*below boot size.*write 1073741824 for 1024 MiB/,
  },
  {
    operation: "vm.resize-zone",
    vm: zones,
    good: { id: "a", desired_ram: 1024 * MIB },
    bad: { id: "b", desired_ram: 1024 * MIB },
    problem: /^desired_ram: No virtio-mem resizing handler found/,
  },
  {
    operation: "vm.resize-zone",
    vm: zones,
    good: { id: "a", desired_ram: 512 * MIB },
    bad: { id: "c", desired_ram: 512 * MIB },
    problem: /^id: .*the VM has "a", "b"/,
  },
];

function limiter(id: string): Body {
  const size = 1 << 20;
  const bandwidth = { size, refill_time: 100 };
  return { id, rate_limiter_config: { bandwidth } };
}

test("validate() checks a request against the VM that gets the request", () => {
  for (const { operation, vm, good, bad, problem } of pairs) {
    const what = `${operation} ${JSON.stringify(bad)}`;
    assert.deepEqual(problems(vm, operation, good), [], what);
    const [first, ...others] = problems(vm, operation, bad);
    assert.match(first ?? "", problem, what);
    assert.deepEqual(others, [], what);
  }
});

test("validate() says what the VM lacks for a request", () => {
  assert.match(
    problems({}, "vm.add-fs", { tag: "t", socket: "/s" })[0]!,
    /^: Using vhost-user requires.*; set "memory\.shared" to true/,
  );
  assert.match(
    problems({}, "vm.resize", { desired_balloon: MIB })[0]!,
    /^desired_balloon: Missing virtio-balloon.*create the VM with "balloon"/,
  );
  assert.match(
    problems(zones, "vm.resize", { desired_ram: 2048 * MIB })[0]!,
    /^desired_ram: .*use "vm\.resize-zone"/,
  );
  const vsock = { cid: 3, socket: "/s" };
  assert.deepEqual(problems({}, "vm.add-vsock", vsock), []);
  assert.match(
    problems({ vsock }, "vm.add-vsock", { cid: 4, socket: "/t" })[0]!,
    /^: Too many virtio-vsock devices/,
  );
});

test("faults of the VM itself are not faults of the request", () => {
  const vm = { disks: [{ path: "/a" }, { path: "/a" }], watchdog: true };
  assert.deepEqual(problems(vm, "vm.add-net", {}), []);
});

test("a VM before its boot has disks without a name", () => {
  const vm = { disks: [{ path: "/a" }] };
  assert.deepEqual(problems(vm, "vm.remove-device", { id: "_disk0" }), []);
});

test("without the VM, a request is checked by itself", () => {
  const add = (body: unknown, operation: RequestName) =>
    validate(body, operation);
  assert.deepEqual(add({ path: "/a", num_queues: 64 }, "vm.add-disk"), []);
  assert.deepEqual(add({ id: "none" }, "vm.remove-device"), []);
  assert.deepEqual(add({ desired_vcpus: 99 }, "vm.resize"), []);
});

test("options.vm takes config of vm.info, and nothing else", async () => {
  const vmm = await FakeVmm.start({ files: "any" });
  const { vm } = createClient(vmm.socketPath);
  await vm.create({
    payload: { kernel: "/k" },
    disks: [{ path: "/a" }],
    balloon: { size: 2n ** 20n },
  });
  await vm.boot();
  const { config } = await vm.info();
  await vmm.close();
  const found = (body: Body, operation: RequestName) =>
    validate(body, operation, { vm: config }).map(({ path }) => path);
  assert.deepEqual(found({ path: "/b" }, "vm.add-disk"), []);
  assert.deepEqual(found({ path: "/a" }, "vm.add-disk"), ["path"]);
  assert.deepEqual(found({ id: "_disk0" }, "vm.remove-device"), []);
  assert.deepEqual(found({ id: "_disk1" }, "vm.remove-device"), ["id"]);
  // A later release may return more, and other strings.
  const newer = { ...config, later: 1, console: { mode: "Vt" as "Tty" } };
  assert.deepEqual(validate({}, "vm.add-net", { vm: newer }), []);
  for (const wrong of [1, "x", null, { disks: 1 }, []]) {
    assert.throws(
      () => validate({}, "vm.add-net", { vm: wrong as never }),
      { name: "TypeError", message: /options\.vm is not the configuration/ },
    );
  }
});
