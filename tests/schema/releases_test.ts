/** validate() for a release, against the marks of the spec. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readSpec } from "../../codegen/spec.ts";
import type { VmmRelease } from "../../mod.ts";
import {
  jsonSchema,
  type Problem,
  type RequestName,
  validate,
} from "../../src/schema/mod.ts";

const PAYLOAD = { payload: { kernel: "/boot/vmlinux" } };

function problems(
  body: unknown,
  release: VmmRelease | undefined,
  operation: RequestName = "vm.create",
): [path: string, code: string, message: string][] {
  return validate(body, operation, { release })
    .map(({ path, code, message }: Problem) => [path, code, message]);
}

test("validate reports the keys that a release ignores", () => {
  const config = {
    ...PAYLOAD,
    cpus: { boot_vcpus: 1, max_vcpus: 1, nested: false },
    platform: { system_uuid: "5e6d0c1e-0d26-4a3b-b95b-3c3a3a9a2b11" },
  };
  assert.deepEqual(problems(config, undefined), []);
  assert.deepEqual(problems(config, "v53.0"), []);
  const uuid = [
    "platform.system_uuid",
    "unknown_key",
    'PlatformConfig has no such key before v53.0; did you mean "uuid"?',
  ];
  assert.deepEqual(problems(config, "v50.2"), [uuid]);
  assert.deepEqual(problems(config, "v49.0"), [
    ["cpus.nested", "unknown_key", "CpusConfig has no such key before v50.0"],
    uuid,
  ]);
});

test("validate accepts a key that only older releases have", () => {
  const config = { ...PAYLOAD, serial: { mode: "Null", iommu: false } };
  assert.deepEqual(problems(config, "v51.2"), []);
  for (const release of ["v52.0", undefined] as const) {
    assert.deepEqual(problems(config, release), [[
      "serial.iommu",
      "unknown_key",
      "SerialConfig has no such key since v52.0",
    ]]);
  }
  const { SerialConfig } = jsonSchema().$defs!;
  assert.deepEqual(
    Object.keys(SerialConfig!.properties!),
    ["file", "mode", "socket"],
  );
});

test("validate reports the values that a release refuses", () => {
  const disk = { path: "/images/a.vmdk", image_type: "FlatVmdk" };
  assert.deepEqual(problems(disk, undefined, "vm.add-disk"), []);
  const [problem] = problems(disk, "v53.0", "vm.add-disk");
  assert.deepEqual(problem!.slice(0, 2), ["image_type", "not_listed"]);
  assert.match(problem![2], /not "FlatVmdk", which needs v54\.0$/);
});

test("validate reports what only an older release requires", () => {
  const [problem] = problems({ id: "gpu" }, "v52.0", "vm.add-device");
  assert.deepEqual(problem, ["path", "missing", "is missing"]);
});

test("validate reports an operation that a release does not have", () => {
  const body = { id: "d", desired_size: 1024, more: 1 };
  assert.deepEqual(problems(body, "v49.0", "vm.resize-disk"), [[
    "",
    "unsupported",
    "vm.resize-disk needs v50.0 or later, not v49.0",
  ]]);
  assert.equal(problems(body, "v50.0", "vm.resize-disk")[0]![0], "more");
});

test("validate has the rules of a release", () => {
  const config = {
    ...PAYLOAD,
    platform: { num_pci_segments: 2 },
    disks: [{ path: "/a.raw", pci_device_id: 0, pci_segment: 1 }],
  };
  assert.deepEqual(problems(config, "v54.0"), []);
  assert.equal(problems(config, "v53.0")[0]![1], "broken_rule");
});

test("jsonSchema has the keys, values and requirements of a release", () => {
  const keysOf = (name: string, release?: VmmRelease): string[] => {
    const { $defs } = jsonSchema("vm.create", { release });
    return Object.keys($defs![name]!.properties!);
  };
  assert.ok(keysOf("CpusConfig", "v50.0").includes("nested"));
  assert.ok(!keysOf("CpusConfig", "v49.0").includes("nested"));
  assert.ok(keysOf("SerialConfig", "v51.2").includes("iommu"));
  assert.ok(!keysOf("SerialConfig").includes("iommu"));

  const memberOf = (name: string, key: string, release?: VmmRelease) =>
    jsonSchema("vm.create", { release }).$defs![name]!.properties![key]!;
  const types = (release?: VmmRelease) =>
    memberOf("DiskConfig", "image_type", release).$ref;
  assert.equal(types("v53.0"), "#/$defs/ImageType");
  const { enum: values } = jsonSchema("vm.add-disk", { release: "v53.0" })
    .$defs!["ImageType"]!;
  assert.ok(!values!.includes("FlatVmdk"), `${values}`);

  const requires = (name: string, release?: VmmRelease) =>
    jsonSchema("vm.create", { release }).$defs![name]!.required ?? [];
  assert.ok(requires("DeviceConfig", "v52.0").includes("path"));
  assert.ok(!requires("DeviceConfig", "v53.0").includes("path"));
  assert.ok(requires("NumaConfig", "v51.0").includes("guest_numa_id"));
  assert.ok(!requires("NumaConfig", "v50.2").includes("guest_numa_id"));
  assert.equal(memberOf("NumaConfig", "guest_numa_id", "v50.2").default, 0);

  assert.deepEqual(memberOf("NetConfig", "mac").type, ["string", "null"]);
  assert.equal(memberOf("NetConfig", "mac", "v53.0").type, "string");
  assert.equal(
    jsonSchema("vm.create", { release: "v52.0" }).$defs!["RtcConfig"],
    undefined,
  );
});

test("jsonSchema refuses what a release does not have", () => {
  const schema = (release: string) => () =>
    jsonSchema("vm.resize-disk", { release: release as VmmRelease });
  assert.throws(schema("v49.0"), {
    name: "RangeError",
    message: "vm.resize-disk needs v50.0 or later, not v49.0",
  });
  assert.throws(schema("50.0"), RangeError);
  assert.equal(schema("v50.0")().$ref, "#/$defs/VmResizeDisk");
});

test("validate and jsonSchema agree on null and on defaults of a release", () => {
  const net = (body: object, release?: VmmRelease) =>
    problems({ ...PAYLOAD, net: [body] }, release).map(([path]) => path);
  assert.deepEqual(net({ mac: null }), []);
  assert.deepEqual(net({ mac: null }, "v53.0"), ["net[0].mac"]);
  assert.deepEqual(net({ ip: null }, "v49.0"), []);
  assert.deepEqual(net({ ip: null }, "v48.0"), ["net[0].ip"]);
  const numa = { ...PAYLOAD, numa: [{ cpus: [0] }] };
  assert.deepEqual(problems(numa, "v50.2"), []);
  assert.equal(problems(numa, "v51.0")[0]![1], "missing");
});

test("validate refuses what is no name of a release", () => {
  assert.throws(() => problems(PAYLOAD, "53.0" as VmmRelease), RangeError);
});

test("each key with a first release is unknown before, and known since", () => {
  const spec = readSpec(
    new URL("../../spec/cloud-hypervisor.yaml", import.meta.url),
  );
  const names = spec.info["x-releases"].map(({ name }) => name as VmmRelease);
  const fields: readonly [key: string, schema: string][] = [
    ["cpus", "CpusConfig"],
    ["memory", "MemoryConfig"],
    ["platform", "PlatformConfig"],
    ["balloon", "BalloonConfig"],
  ];
  let checked = 0;
  for (const [key, schema] of fields) {
    const { properties = {} } = spec.components.schemas[schema]!;
    for (const [name, { "x-since": since }] of Object.entries(properties)) {
      if (since === undefined) continue;
      for (const release of names) {
        const body = { ...PAYLOAD, [key]: { [name]: null } };
        const isUnknown = problems(body, release)
          .some(([path, code]) =>
            path === `${key}.${name}` && code === "unknown_key"
          );
        const before: boolean = names.indexOf(release) <
          names.findIndex((one: string) => one.startsWith(since));
        assert.equal(isUnknown, before, `${schema}.${name} on ${release}`);
        checked++;
      }
    }
  }
  assert.ok(checked > 150, `${checked}`);
});

test("two names of one field are refused together where both are known", () => {
  const uuid = "12345678-1234-1234-1234-123456789012";
  const body = { ...PAYLOAD, platform: { uuid, system_uuid: uuid } };
  const aliases = (release: VmmRelease): unknown =>
    jsonSchema("vm.create", { release }).$defs?.["PlatformConfig"]?.not;
  const found = (release: VmmRelease) =>
    problems(body, release).map(([path, code]) => [path, code]);
  assert.deepEqual(found("v53.0"), [["platform", "broken_rule"]]);
  assert.deepEqual(found("v52.0"), [["platform.system_uuid", "unknown_key"]]);
  assert.deepEqual(aliases("v53.0"), {
    anyOf: [
      { required: ["serial_number", "system_serial_number"] },
      { required: ["uuid", "system_uuid"] },
    ],
  });
  assert.equal(aliases("v52.0"), undefined);
});
