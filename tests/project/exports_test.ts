import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import project from "../../deno.json" with { type: "json" };
import { readSpec } from "../../codegen/spec.ts";
import * as entry from "../../mod.ts";
import { newestRelease, releaseNames } from "../../testing/release.ts";

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

const VALUES = [
  "ApiError",
  "CloudHypervisorError",
  "ConnectionError",
  "DeadlineError",
  "InvalidRequestError",
  "VmmExitedError",
  "apiSpec",
  "createClient",
  "errorFrom",
  "unixFetch",
];

/** Exported types that are no types of the wire. */
const TYPES = [
  "Api",
  "ApiErrorCode",
  "ApiSpec",
  "CallOptions",
  "CauseJson",
  "Client",
  "ConnectionErrorCode",
  "CreateClientOptions",
  "ErrorCode",
  "ErrorJson",
  "InvalidRequestErrorCode",
  "OperationName",
  "Retry",
  "UnixFetch",
  "VmApi",
  "VmmApi",
  "VmmExit",
  "VmmRelease",
];

/** The names in the `export { … }` of a module. */
function exported(source: string): string[] {
  return [...source.matchAll(/export (?:type )?\{([^}]*)\}/g)]
    .flatMap(([, names]) => names!.split(","))
    .map((name) => name.replace(/\btype\b/, "").trim())
    .filter((name) => name !== "")
    .sort();
}

test("no exported name shadows a global, or is easily taken for one", () => {
  const entries = Object.values(project.exports);
  const names = entries.flatMap((path) => exported(read(path)));
  assert.ok(names.length > 150, `${names.length} names`);
  const others = ["Reply", "EventSource", "Request", "Response", "Headers"];
  const globals = new Set([
    ...Object.getOwnPropertyNames(globalThis),
    ...others,
  ]);
  const shadows = names.map((name) => name.split(" as ").at(-1)!)
    .filter((name) => globals.has(name));
  assert.deepEqual(shadows, []);
});

test("mod.ts exports the wire types of the spec, and what is listed here", () => {
  const { components } = parse(read("spec/cloud-hypervisor.yaml")) as {
    components: { schemas: Record<string, unknown> };
  };
  const made = read("src/generated/types.gen.ts");
  const variants = [...made.matchAll(/^export type (\w+Info) =/gm)]
    .map(([, name]) => name!);
  const schemas = Object.keys(components.schemas);
  const wire = new Set([...schemas, ...variants, "UnknownEnumValue"]);
  assert.ok(schemas.length > 70 && variants.length > 20);
  assert.deepEqual(
    exported(read("mod.ts")),
    [...VALUES, ...TYPES, ...wire].sort(),
  );
});

test("mod.ts has these names at run time, and no export *", () => {
  assert.deepEqual(Object.keys(entry).sort(), VALUES);
  assert.doesNotMatch(read("mod.ts"), /export \*/);
  const { oldest, newest, commit } = entry.apiSpec;
  assert.deepEqual([newest, oldest], [newestRelease, "v48.0"]);
  const { info } = readSpec(
    new URL("../../spec/cloud-hypervisor.yaml", import.meta.url),
  );
  const tested = info["x-releases"].filter(({ state }) => state === "tested");
  const names = tested.map(({ name }) => name);
  for (const name of releaseNames) assert.ok(names.includes(name), name);
  assert.match(commit, /^[0-9a-f]{9,}$/);
});

test("every wire type and each of its fields has a docstring", () => {
  const made = read("src/generated/types.gen.ts");
  const [types] = made.split("\nexport type GetVmmPingData");
  const lines = types!.split("\n");
  const bare = lines.filter((line, i) =>
    /^(export type (?!ClientOptions)| {4}['\w]+\??: )/.test(line) &&
    lines[i - 1]!.trim() !== "*/"
  );
  assert.deepEqual(bare.filter((line) => !line.includes("baseUrl")), []);
});
