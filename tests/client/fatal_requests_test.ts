/** Requests that are fatal, and requests that only look so. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Client, createClient, InvalidRequestError } from "../../mod.ts";
import { reply, serving } from "../support/server.ts";

const CREATIONS: [field: string | undefined, body: object][] = [
  ["console.file", { console: { mode: "File", file: null } }],
  ["serial.file", { serial: { mode: "File", file: null } }],
  ["debug_console.file", { debug_console: { mode: "File", file: null } }],
  ["serial.socket", { serial: { mode: "Socket", socket: null } }],
  ["serial.socket", { serial: { mode: "Socket", file: "/log" } }],
  ["memory.size", { memory: { size: 0, zones: null } }],
  ["memory.size", { memory: { size: -0 } }],
  ["memory.size", { memory: { size: 4096 } }],
  ["memory.size", { memory: { size: 0x80000, zones: [{ size: 8192 }] } }],
  ["memory.zones", { memory: { size: 0, zones: [{ id: "z", size: 4096 }] } }],
  ...["threads_per_core", "cores_per_die", "dies_per_package"]
    .map((part): [string, object] => [
      `cpus.topology.${part}`,
      { cpus: { topology: { [part]: 0 } } },
    ]),
  // The VMM multiplies in 16 bits.
  ["cpus.topology.cores_per_die", {
    cpus: { topology: { threads_per_core: 256, cores_per_die: 256 } },
  }],
  [undefined, {
    cpus: { topology: { threads_per_core: 255, cores_per_die: 256 } },
  }],
  ["cpus.affinity[0].host_cpus", affinity([0, []])],
  ["cpus.affinity[0].host_cpus", affinity([0, [0, 1024]])],
  ["cpus.affinity[1].host_cpus", affinity([0, [0]], [0, []])],
  ["pci_segments", weights(163_840, 1)],
  ["pci_segments", weights(2 ** 31, 2 ** 31)],
  ["pci_segments", weights(1, 2 ** 20)],
  [undefined, weights(163_839, 2 ** 20 - 1)],
  [undefined, {
    platform: { num_pci_segments: 2 },
    pci_segments: [
      { pci_segment: 1, mmio32_aperture_weight: 163_840 },
      { pci_segment: 1, mmio32_aperture_weight: 1 },
    ],
  }],
  [undefined, { ...weights(2 ** 31, 2 ** 31), platform: null }],
  [undefined, { ...weights(2, 2), pci_segments: [null, {}] }],
  [undefined, affinity([0, []], [0, [0]])],
  [undefined, affinity([1, []], [1, [1024]])],
  [undefined, affinity([0, [1023]])],
  [undefined, { cpus: { topology: { packages: 0 } } }],
  [undefined, { cpus: { topology: null, affinity: null } }],
  [undefined, { cpus: { boot_vcpus: 1, affinity: [null, {}, { vcpu: 0 }] } }],
  [undefined, { memory: { size: 4097 } }],
  [undefined, { memory: { size: 1 << 20 } }],
  [undefined, { memory: { size: 0, zones: [null, { size: 1 << 29 }] } }],
  [undefined, { memory: { size: 0, zones: "none" } }],
  [undefined, {}],
  [undefined, { console: null, serial: null, memory: null }],
  [undefined, { console: { mode: "Off" }, serial: { mode: "Null" } }],
  [undefined, { console: { mode: "Tty" }, serial: { mode: "Pty" } }],
  [undefined, { console: { mode: "File", file: "/log" } }],
  [undefined, { debug_console: { mode: "File", file: "/log" } }],
  [undefined, { serial: { mode: "Socket", socket: "/run/serial" } }],
  [undefined, { memory: { size: 1n } }],
  [undefined, { memory: {} }],
];

function affinity(...entries: [vcpu: number, host_cpus: number[]][]): object {
  const affinity = entries.map(([vcpu, host_cpus]) => ({ vcpu, host_cpus }));
  return { cpus: { boot_vcpus: 1, max_vcpus: 2, affinity } };
}

/** Two segments, of which the second has weights. */
function weights(mmio32: number, mmio64: number): object {
  const platform = { num_pci_segments: 2 };
  const segment = {
    pci_segment: 1,
    mmio32_aperture_weight: mmio32,
    mmio64_aperture_weight: mmio64,
  };
  return { platform, pci_segments: [segment] };
}

/** A host that the C library does not parse as an address is looked up. */
const HOSTS: [fatal: boolean, url: string][] = [
  [true, "tcp:localhost:1"],
  [true, "tcp:1:2:3"],
  [true, "tcp::1"],
  [true, "tcp:1.2.3.4.5:1"],
  [true, "tcp:1..2:1"],
  [true, "tcp:4294967296:1"],
  [true, "tcp:0x:1"],
  [true, "tcp:08.1:1"],
  [true, "tcp:[127.0.0.1]:1"],
  [true, "tcp:[fe80::1%lo]:1"],
  [true, "tcp: 127.0.0.1:1"],
  [true, "tcp:256.0.0.1:1"],
  [true, "tcp:999.999.999.999:1"],
  [true, "tcp:[::g]:1"],
  [true, "tcp:[:::]:1"],
  [true, "tcp:[1:2:3]:1"],
  [false, "tcp:0.0.0.0:1"],
  [false, "tcp:255.255.255.255:65535"],
  [false, "tcp:01.2.3.4:1"],
  [false, "tcp:1.2.3:1"],
  [false, "tcp:1:2"],
  [false, "tcp:4294967295:1"],
  [false, "tcp:0x7f.1:1"],
  [false, "tcp:::1:1"],
  [false, "tcp:::ffff:127.0.0.1:1"],
  [false, "tcp:[::]:1"],
  [false, "tcp:[2001:DB8::1]:1"],
  [false, "tcp:[::ffff:1.2.3.4]:1"],
  [false, "unix:/tmp/migration"],
  [false, "unix:tcp:localhost:1"],
];

function fatal(field: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof InvalidRequestError, `${error}`);
    assert.equal(error.code, "fatal_request");
    assert.equal(error.field, field);
    assert.match(error.message, /allowFatal/);
    return true;
  };
}

test("vm.create() refuses what is fatal, and that alone", () =>
  serving((socket) => socket.write(reply(204)), async (server) => {
    const { vm } = createClient(server.path);
    const brave = createClient(server.path, { allowFatal: true });
    for (const [field, body] of CREATIONS) {
      const before = server.requests.length;
      if (field === undefined) await vm.create(body);
      else {
        await assert.rejects(vm.create(body), fatal(field));
        assert.equal(server.requests.length, before);
        await brave.vm.create(body);
      }
      assert.equal(server.requests.length, before + 1);
    }
  }));

for (
  const [title, migrate, field] of [
    [
      "vm.receiveMigration()",
      ({ vm }: Client, receiver_url: string) =>
        vm.receiveMigration({ receiver_url }),
      "receiver_url",
    ],
    [
      "vm.sendMigration()",
      ({ vm }: Client, destination_url: string) =>
        vm.sendMigration({ destination_url }),
      "destination_url",
    ],
  ] as const
) {
  test(`${title} refuses what is fatal, and that alone`, () =>
    serving((socket) => socket.write(reply(204)), async (server) => {
      const client = createClient(server.path);
      const brave = createClient(server.path, { allowFatal: true });
      for (const [isFatal, url] of HOSTS) {
        const before = server.requests.length;
        const call = migrate(client, url);
        if (isFatal) {
          await assert.rejects(call, fatal(field), url);
          assert.equal(server.requests.length, before);
          await migrate(brave, url);
        } else await call;
        assert.equal(server.requests.length, before + 1);
      }
    }));
}

test("vm.resize() refuses memory that no VM can have", () =>
  serving((socket) => socket.write(reply(204)), async (server) => {
    const { vm } = createClient(server.path);
    for (const desired_ram of [4096, 65_536n]) {
      await assert.rejects(vm.resize({ desired_ram }), fatal("desired_ram"));
    }
    assert.equal(server.requests.length, 0);
    await vm.resize({ desired_ram: 1 << 20 });
    await vm.resize({ desired_ram: 4097 });
    await vm.resize({ desired_vcpus: 2 });
    assert.equal(server.requests.length, 3);
  }));

test("other operations take the same bodies", () =>
  serving((socket) => socket.write(reply(204)), async (server) => {
    const { vm } = createClient(server.path);
    await vm.addDisk({ memory: { size: 0 } } as never);
    await vm.snapshot({ destination_url: "tcp:localhost:1" });
    assert.equal(server.requests.length, 2);
  }));

test("a file descriptor in a body is refused, with the ways that work", () =>
  serving(
    (socket) => socket.write(reply(204)),
    async ({ path, requests }) => {
      const { vm } = createClient(path);
      const calls: [string, Promise<unknown>][] = [
        ["net[1].fds", vm.create({ net: [{ fds: [] }, { fds: [7] }] })],
        ["fds", vm.addNet({ fds: [8, 9] })],
        ["fd", vm.addDevice({ fd: 3 })],
        ["platform.iommufd_fd", vm.create({ platform: { iommufd_fd: 4 } })],
      ];
      for (const [field, call] of calls) {
        await assert.rejects(call, (error) => {
          assert.ok(error instanceof InvalidRequestError, `${error}`);
          assert.equal(error.code, "invalid_request");
          assert.equal(error.field, field);
          assert.match(
            error.message,
            /spawnVmm\(\{ fds, args \}\) or ch-remote/,
          );
          return true;
        });
      }
      assert.deepEqual(requests, []);
      // What the VMM returns, and texts that only look like a descriptor.
      await vm.create({ net: [{ fds: [-1] }, { fds: [] }] });
      await vm.create({ payload: { cmdline: 'a "fd":3 "fds":[4]' } });
      assert.equal(requests.length, 2);
    },
  ));
