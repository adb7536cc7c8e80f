/** A VM that was created from a configuration does not differ from it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { VmConfig } from "../../mod.ts";
import { differencesOf } from "../../src/workflows/config_difference.ts";
import { bodyCases } from "../support/body_cases.ts";

/** Bodies, and sections of the configuration that real VMMs made of them. */
const created = bodyCases.flatMap(({ id, operation, body, real }) =>
  operation !== "vm.create" ? [] : Object.entries(real)
    .flatMap(([release, steps]) =>
      steps.flatMap(({ config }) =>
        config
          ? [{ name: `${id}, ${release}`, body: body as VmConfig, config }]
          : []
      )
    )
);

function differences(wanted: VmConfig, sections: object): string[] {
  return differencesOf(wanted, sections as VmConfig).map(({ path }) => path)
    .filter((path) => /^\w+/.exec(path)![0] in sections);
}

test("no configuration differs from what real VMMs made of it", () => {
  assert.ok(created.length > 300);
  for (const { name, body, config } of created) {
    assert.deepEqual(differences(body, config), [], name);
  }
});

test("each value that a configuration gives is compared", () => {
  let count = 0;
  for (const { name, body, config } of created) {
    for (const [path, changed] of changesOf(config)) {
      if (!gives(body, path)) continue;
      count++;
      const found = differences(body, changed as object);
      assert.ok(
        found.some((field) => path.startsWith(field) || field.startsWith(path)),
        `${name} ${path}`,
      );
    }
  }
  assert.ok(count > 1000, `${count}`);
});

/** Copies of a value, each with one change, and the path of the change. */
function* changesOf(value: unknown, path = ""): Generator<[string, unknown]> {
  if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) {
      for (const [inner, changed] of changesOf(item, `${path}[${at}]`)) {
        yield [inner, value.with(at, changed)];
      }
    }
    yield [path, [...value, {}]];
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      const inner = path === "" ? key : `${path}.${key}`;
      for (const [at, changed] of changesOf(item, inner)) {
        yield [at, { ...value, [key]: changed }];
      }
    }
  } else if (typeof value === "boolean") yield [path, !value];
  else if (typeof value === "string") yield [path, `9${value}`];
  else if (typeof value === "bigint") yield [path, value + 1n];
  else if (typeof value === "number") yield [path, value + 1];
}

/** Tells whether a configuration gives a value at the path. */
function gives(config: unknown, path: string): boolean {
  const keys = path.split(/[.[\]]+/).filter((key) => key !== "");
  let value = config;
  for (const key of keys) {
    if (typeof value !== "object" || value === null) return false;
    value = (value as Record<string, unknown>)[key];
  }
  return value != null;
}

test("values that the configuration leaves out may be any", () => {
  const actual = {
    cpus: { boot_vcpus: 2, max_vcpus: 4 },
    memory: { size: 1n << 30n },
    disks: [{ id: "_disk0", path: "/a.raw", readonly: false }],
  } as VmConfig;
  assert.deepEqual(differencesOf({ disks: [{ path: "/a.raw" }] }, actual), []);
  assert.deepEqual(differencesOf({ memory: { size: 2 ** 30 } }, actual), []);
  assert.deepEqual(differencesOf({}, actual), []);
  const disks = [{ path: "/b.raw" }, { path: "/c.raw" }];
  const paths = differencesOf(
    { disks, vsock: { cid: 3, socket: "/v" }, watchdog: true },
    actual,
  ).map(({ path }) => path);
  assert.deepEqual(paths, ["disks[0].path", "disks[1]", "vsock", "watchdog"]);
});
