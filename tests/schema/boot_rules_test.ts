/** Rules of a boot that need no host, on both sides of their limits. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type RequestName, validate } from "../../src/schema/mod.ts";
import { limits, pathOfLength } from "./boot_rules.ts";
import { small } from "./broken_configs.ts";

test("validate() keeps the limit of each rule of a boot", () => {
  for (const { good, bad, path, message } of limits) {
    assert.deepEqual(validate({ ...small, ...good }), [], path);
    const problems = validate({ ...small, ...bad });
    const texts = problems.filter((problem) => problem.path === path)
      .map(({ message }) => message);
    const what = `${path} ${message}: ${JSON.stringify(problems)}`;
    assert.ok(texts.some((text) => message.test(text)), what);
    // No other value is to blame.
    assert.equal(problems.length, texts.length, what);
  }
});

/** The operations that add one device to a list. */
const ADD: { readonly [list: string]: RequestName } = {
  devices: "vm.add-device",
  disks: "vm.add-disk",
  fs: "vm.add-fs",
  generic_vhost_user: "vm.add-generic-vhost-user",
  net: "vm.add-net",
  pmem: "vm.add-pmem",
  user_devices: "vm.add-user-device",
  vdpa: "vm.add-vdpa",
  vsock: "vm.add-vsock",
};

/** Rules about a device and the rest of the VM. */
const OTHERS = /already used|the same socket|has this id/;

test("validate() keeps the limits of a device that is added alone", () => {
  let checked = 0;
  for (const { good, bad, path, message } of limits) {
    const [, list, , field] = /^(\w+)(\[0\])?\.(\w+)$/.exec(path) ?? [];
    const operation = ADD[list ?? ""];
    if (operation === undefined) continue;
    const [device, other] = [bad, good].map((body) => [body[list!]].flat());
    if (device!.length !== 1 || OTHERS.test(message.source)) continue;
    assert.deepEqual(validate(other![0], operation), [], path);
    const [problem] = validate(device![0], operation);
    assert.equal(problem?.path, field, `${path} ${message}`);
    assert.match(problem!.message, message);
    checked++;
  }
  assert.ok(checked > 60, `${checked} devices`);
});

const codes = (body: unknown, operation: RequestName) =>
  validate(body, operation).map(({ path, message }) => `${path}: ${message}`);

test("validate() checks the paths in URLs", () => {
  const socket = pathOfLength(107);
  const long = /: path must be shorter than SUN_LEN/;
  for (
    const [operation, field] of [
      ["vm.receive-migration", "receiver_url"],
      ["vm.send-migration", "destination_url"],
    ] as const
  ) {
    assert.deepEqual(codes({ [field]: `unix:${socket}` }, operation), []);
    const [problem] = codes({ [field]: `unix:${socket}v` }, operation);
    assert.match(problem!, long);
    assert.deepEqual(codes({ [field]: "tcp:127.0.0.1:65535" }, operation), []);
    const port = codes({ [field]: "tcp:127.0.0.1:65536" }, operation);
    assert.match(port[0]!, /number too large to fit in target type/);
    assert.match(codes({ [field]: "unix:/\0" }, operation)[0]!, /null bytes/);
  }
  for (
    const [operation, field] of [
      ["vm.restore", "source_url"],
      ["vm.snapshot", "destination_url"],
      ["vm.coredump", "destination_url"],
    ] as const
  ) {
    assert.deepEqual(codes({ [field]: "file:///s" }, operation), []);
    assert.match(codes({ [field]: "file://" }, operation)[0]!, /No such file/);
    assert.match(codes({ [field]: "/s" }, operation)[0]!, /begin with "file:/);
  }
});

test("validate() checks the size of a disk that is resized", () => {
  const resize = (desired_size: number) =>
    codes({ id: "d", desired_size }, "vm.resize-disk");
  assert.deepEqual(resize(1024), []);
  assert.match(resize(1000)[0]!, /^desired_size: .*not a multiple of 512/);
  assert.deepEqual(codes({ desired_vcpus: 1 }, "vm.resize"), []);
  assert.match(
    codes({ desired_vcpus: 0 }, "vm.resize")[0]!,
    /^desired_vcpus: Requested zero vCPUs/,
  );
});

test("validate() says that JSON cannot carry a descriptor", () => {
  const dropped = /JSON cannot carry a file descriptor.*"fds" and "args"/;
  const create = (body: object) => codes({ ...small, ...body }, "vm.create");
  const [fds, ...others] = create({ net: [{ fds: [7] }] });
  assert.deepEqual(others, []);
  assert.match(fds!, /^net\[0\]\.fds: .*makes a new tap interface/);
  assert.match(codes({ fds: [8] }, "vm.add-net")[0]!, dropped);
  assert.match(create({ devices: [{ path: "/d", fd: 3 }] })[0]!, dropped);
  assert.match(
    create({ platform: { iommufd: true, iommufd_fd: 3 } })[0]!,
    /^platform\.iommufd_fd: JSON/,
  );
  for (const fds of [null, []]) {
    assert.deepEqual(create({ net: [{ fds }] }), []);
  }
  const restore = (body: object) =>
    codes({ source_url: "file:///s", ...body }, "vm.restore");
  const needed = /needs file descriptors, which JSON cannot carry/;
  assert.match(restore({ net_fds: [{ id: "n", num_fds: 1 }] })[0]!, needed);
  assert.deepEqual(restore({ net_fds: [{ id: "n", num_fds: 0 }] }), []);
  assert.deepEqual(restore({ net_fds: [], vfio_fds: null }), []);
  assert.match(restore({ vfio_fds: [] })[0]!, needed);
  const receive = { receiver_url: "unix:/s", vfio_fds: [] };
  assert.match(codes(receive, "vm.receive-migration")[0]!, needed);
});
