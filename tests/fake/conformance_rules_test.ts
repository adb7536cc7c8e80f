/** Behaviour that no recording covers, on each release. */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { FakeVmm } from "../../testing/mod.ts";
import { releases } from "../../testing/release.ts";
import { caseReleases } from "../support/case_releases.ts";
import {
  type Body,
  broken,
  cpus,
  memory,
  small,
} from "../schema/broken_configs.ts";
import { fake, real, type Subject } from "./conformance.ts";
import { exchange, workspace } from "./replay.ts";

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

const space = workspace();
const vmm = await real(space);
space.remove();

const subjects: Subject[] = caseReleases.map((name) => fake(name));
// Why there is none, the replay says.
if (typeof vmm !== "string") subjects.push(vmm);

for (const subject of subjects) {
  const release = releases[subject.release];
  const old = release.statuses.invalid === 500;

  test(`${subject.name}: an invalid configuration fails at vm.boot, not at vm.create`, () =>
    within(subject, async ({ put }) => {
      for (const [config, message, , status = 400] of broken) {
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

  test(`${subject.name}: vm.add-disk validates the whole configuration`, () =>
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

  test(`${subject.name}: a reserved device id is refused with the message of the release`, () =>
    within(subject, async ({ put }) => {
      await put("vm.create", { ...small, disks: [{ path: "/a", id: "__x" }] });
      const words = old ? "is not invalid" : "is not valid";
      const [, chain] = await put("vm.boot");
      assert.equal((chain as string[]).at(-1), `Identifier __x ${words}`);
    }));

  test(`${subject.name}: a failed boot leaves a half-built VM`, () =>
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

  test(`${subject.name}: a boot fills in ids, MAC addresses and image types`, () =>
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

  test(`${subject.name}: a removed device keeps its id until the guest releases it`, () =>
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
      vmm.guest.perform({ releaseDevice: "d" });
      const { properties } = await vmm.event("device-removed");
      assert.deepEqual(properties, { id: "d", bdf: "0000:00:02.0" });
      assert.deepEqual(await put("vm.add-disk", disk), added);
    }));

  test(`${subject.name}: virtio-mem grows only as far as the guest plugs memory in`, () =>
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

  test(`${subject.name}: an invalid migration is refused before it starts`, () =>
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
