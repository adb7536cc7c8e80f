/** The spec against what real VMMs were seen to answer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readSpec, type Schema } from "../../codegen/spec.ts";
import { hasSince } from "../../src/generated_support/release.ts";
import {
  newestRelease,
  releaseNames,
  releaseOf,
} from "../../testing/release.ts";
import { withoutNulls } from "../../src/client/without_nulls.ts";
import { type Recording, recordings } from "../support/recordings.ts";

const { schemas } = readSpec(
  new URL("../../spec/cloud-hypervisor.yaml", import.meta.url),
).components;

/** The differences between a value and its schema, one line each. */
function differences(
  value: unknown,
  schema: Schema,
  release: Recording["release"],
  at: string,
): string[] {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
    return differences(value, schemas[name]!, release, at);
  }
  const inner = (next: unknown, of: Schema, where: string): string[] =>
    differences(next, of, release, `${at}.${where}`);
  const options = schema.oneOf ?? schema.anyOf;
  if (options !== undefined) {
    const results = options.map((option) => inner(value, option, "?"));
    return results.find((found) => found.length === 0) ?? results[0]!;
  }
  if (schema.enum !== undefined) {
    return schema.enum.includes(value as string)
      ? []
      : [`${at}: ${value} is not listed`];
  }
  const types = [schema.type].flat();
  const type = value === null
    ? "null"
    : Array.isArray(value)
    ? "array"
    : typeof value === "bigint" || Number.isSafeInteger(value)
    ? "integer"
    : typeof value;
  if (!types.includes(type)) return [`${at}: ${type}, not ${types}`];
  if (type === "integer") return range(value as number, schema, at);
  if (type === "array") {
    return (value as unknown[]).flatMap((item, i) =>
      inner(item, schema.items!, `${i}`)
    );
  }
  if (type !== "object") return [];
  const { properties = {}, required = [], additionalProperties } = schema;
  const entries = Object.entries(value as object);
  const missing = Object.entries(properties).filter(([name, property]) => {
    const { "x-returned": rule, "x-since": since, "x-until": until } = property;
    const feature = property["x-feature"];
    if (since && !hasSince(release, since)) return name in (value as object);
    if (until && hasSince(release, until)) return name in (value as object);
    if (feature && !releaseOf(release).features.includes(feature)) return false;
    if (name in (value as object)) return rule === "never";
    return rule === "always" || rule === "nullable" ||
      (rule === undefined && required.includes(name));
  }).map(([name]) => `${at}.${name}: present or absent against its rule`);
  return missing.concat(entries.flatMap(([name, item]) => {
    const property = properties[name] ?? additionalProperties;
    if (typeof property === "object") return inner(item, property, name);
    return [`${at}.${name}: unknown`];
  }));
}

function range(value: number | bigint, schema: Schema, at: string): string[] {
  const bits = /^uint(\d+)$/.exec(schema.format ?? "")?.[1];
  if (bits === undefined) return [];
  const fits = value >= 0 && BigInt(value) < 2n ** BigInt(bits);
  return fits ? [] : [`${at}: ${value} is no ${schema.format}`];
}

const ANSWERS: Record<string, string> = {
  "/api/v1/vmm.ping": "VmmPingResponse",
  "/api/v1/vm.info": "VmInfo",
  "/api/v1/vm.counters": "VmCounters",
};

for (const release of releaseNames) {
  test(`the spec describes every answer that was recorded of ${release}`, () => {
    let checked = 0;
    for (const { scenario, exchanges } of recordings(release)) {
      for (const { path = "", response } of exchanges) {
        const { status = 0, body } = response;
        if (body === undefined || body === null) continue;
        // A raw request has no path; those that succeed are pings.
        const name = status >= 300 ? "ErrorChain" : ANSWERS[path] ??
          (path === "" ? "VmmPingResponse" : "PciDeviceInfo");
        // As the client reads it.
        const data = name === "VmInfo" ? withoutNulls(body) : body;
        const found = differences(data, schemas[name]!, release, name);
        assert.deepEqual(found, [], `${scenario}: ${path}`);
        checked++;
      }
    }
    assert.ok(checked > 100, `${checked} answers`);
  });
}

test("the spec's differences are noticed", () => {
  const check = (value: unknown, name: string) =>
    differences(value, schemas[name]!, newestRelease, name).length;
  const ping = { build_version: "a", version: "b", pid: 1, features: ["kvm"] };
  assert.equal(check(ping, "VmmPingResponse"), 0);
  assert.equal(check({ ...ping, pid: "1" }, "VmmPingResponse"), 1);
  assert.equal(check({ ...ping, more: 1 }, "VmmPingResponse"), 1);
  assert.equal(check({ ...ping, pid: undefined }, "VmmPingResponse"), 1);
  assert.equal(check({ id: "a" }, "PciDeviceInfo"), 1);
  assert.equal(check("Sleeping", "VmState"), 1);
});
