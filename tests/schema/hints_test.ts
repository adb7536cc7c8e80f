/** The hints in the messages of validate(). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { requests } from "../../src/generated/requests.gen.ts";
import { type RequestName, validate } from "../../src/schema/mod.ts";
import { isRemoved, movedTo } from "../../src/schema/moved_keys.ts";
import { resolve, resolveName } from "../../src/schema/resolve.ts";
import { type Body, small } from "./broken_configs.ts";

function problem(body: Body, operation: RequestName = "vm.create") {
  const whole = operation === "vm.create" ? { ...small, ...body } : body;
  const [first, ...others] = validate(whole, operation);
  assert.deepEqual(others, []);
  return first!;
}

test("validate() knows where a key of an old shape moved", () => {
  for (
    const [body, moved] of [
      [{ kernel: { path: "/k" } }, "payload.kernel"],
      [{ kernel: "/k" }, "payload.kernel"],
      [{ cmdline: { args: "quiet" } }, "payload.cmdline"],
      [{ initramfs: "/i" }, "payload.initramfs"],
      [{ firmware: "/f" }, "payload.firmware"],
      [{ cpu_count: 2 }, "cpus.boot_vcpus"],
      [{ vcpus: 2 }, "cpus.boot_vcpus"],
      [{ memory_size: "1G" }, "memory.size"],
      [{ drives: [] }, "disks"],
      [{ uuid: "x" }, "platform.system_uuid"],
    ] as const
  ) {
    const { path, code, message, suggestion } = problem(body);
    assert.equal(path, Object.keys(body)[0]);
    assert.equal(code, "unknown_key");
    assert.equal(suggestion, moved);
    assert.equal(
      message,
      `VmConfig has no such key; it moved to ${moved}`,
    );
  }
  const { path, suggestion } = problem({
    disks: [{ path: "/a", bw_size: 1000 }],
  });
  assert.equal(path, "disks[0].bw_size");
  assert.equal(suggestion, "rate_limiter_config.bandwidth.size");
});

test("validate() says that a key is gone", () => {
  const gone = "DiskConfig has no such key; newer releases do not have it";
  assert.equal(
    problem({ disks: [{ path: "/a", poll_queue: true }] }).message,
    gone,
  );
  assert.ok(isRemoved("VmConfig", "sgx_epc"));
  assert.ok(!isRemoved("VmConfig", "disks"));
  assert.ok(!isRemoved("VmConfig", "toString"));
  assert.equal(movedTo("VmConfig", "toString"), undefined);
  assert.equal(movedTo("constructor", "name"), undefined);
});

/** Follows a path such as `payload.kernel` from a schema. */
function exists(name: string, path: string): boolean {
  let { schema } = resolveName(name);
  for (const key of path.split(".")) {
    const property = schema.properties?.[key];
    if (property === undefined) return false;
    ({ schema } = resolve(property));
  }
  return true;
}

test("each key that moved has a place, and no old key is valid", () => {
  const names = new Set(Object.values(requests) as string[]);
  for (const name of ["CpusConfig", "RateLimitGroupConfig", "RngConfig"]) {
    names.add(name);
  }
  const old = [
    ...["kernel", "cmdline", "cpu_count", "machine-config", "mem_size_mib"],
    ...["boot", "max", "bw_size", "ops_refill_time", "path_on_host"],
    ...["is_read_only", "guest_mac", "guest_cid", "uds_path", "source"],
  ];
  let checked = 0;
  for (const name of names) {
    for (const key of old) {
      const moved = movedTo(name, key);
      if (moved === undefined) continue;
      assert.ok(!exists(name, key), `${name}.${key}`);
      for (const place of moved.split(" and ")) {
        assert.ok(exists(name, place), `${name}: ${place}`);
      }
      checked++;
    }
  }
  assert.ok(checked > 15, `${checked} keys`);
});

test("validate() says how a value of another type is written", () => {
  for (
    const [body, path, write] of [
      [{ memory: { size: "1G" } }, "memory.size", "1073741824"],
      [{ memory: { size: "512M" } }, "memory.size", "536870912"],
      [{ memory: { size: "4 KiB" } }, "memory.size", "4096"],
      [{ memory: { size: "1t" } }, "memory.size", "1099511627776"],
      [{ memory: "1G" }, "memory", '{ "size": 1073741824 }'],
      [{ cpus: 4 }, "cpus", '{ "boot_vcpus": 4, "max_vcpus": 4 }'],
      [{ cpus: { boot_vcpus: "2", max_vcpus: 2 } }, "cpus.boot_vcpus", "2"],
      [{ watchdog: "on" }, "watchdog", "true"],
      [{ disks: [{ readonly: "false" }] }, "disks[0].readonly", "false"],
      [{ serial: "tty" }, "serial", '{ "mode": "Tty" }'],
      [{ console: "off" }, "console", '{ "mode": "Off" }'],
      [
        { cpus: { boot_vcpus: 2, max_vcpus: 4, topology: "1:2:1:2" } },
        "cpus.topology",
        '{ "threads_per_core": 1, "cores_per_die": 2, ' +
        '"dies_per_package": 1, "packages": 2 }',
      ],
    ] as const
  ) {
    const found = problem(body);
    assert.equal(found.path, path);
    assert.equal(found.code, "wrong_type");
    assert.equal(found.suggestion, write);
    assert.ok(found.message.endsWith(`; write ${write}`), found.message);
    JSON.parse(write);
  }
});

test("validate() gives no hint where it can only guess", () => {
  for (
    const body of [
      { memory: { size: "a lot" } },
      { memory: { size: "-1G" } },
      { memory: { size: "1.5G" } },
      { memory: { size: true } },
      { watchdog: "maybe" },
      { cpus: { boot_vcpus: 1, max_vcpus: 1, topology: "1:1" } },
      { serial: 1 },
      { vsock: [{ cid: 3, socket: "/s" }] },
    ]
  ) {
    const { code, suggestion, message } = problem(body);
    assert.equal(code, "wrong_type");
    assert.equal(suggestion, undefined);
    assert.doesNotMatch(message, /write/);
  }
});

test("validate() suggests the spelling of an enum", () => {
  const { code, suggestion } = problem({
    memory: { size: 1 << 29, hotplug_method: "virtio-mem" },
  });
  assert.equal(code, "not_listed");
  assert.equal(suggestion, "VirtioMem");
});
