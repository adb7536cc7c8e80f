/** Every symbol and field that is exported has a docstring. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { readSpec } from "../../codegen/spec.ts";
import project from "../../deno.json" with { type: "json" };
import { testIf } from "../support/skip.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const { schemas } = readSpec(join(ROOT, "spec/cloud-hypervisor.yaml"))
  .components;

/** The output of `deno doc --json` for a file, as far as this test reads it. */
interface Page {
  readonly module_doc?: Doc;
  readonly symbols: readonly {
    readonly name: string;
    readonly declarations: readonly Declaration[];
  }[];
}

interface Declaration {
  readonly kind: string;
  readonly jsDoc?: Doc;
  readonly location: { readonly filename: string };
  readonly def?: unknown;
}

interface Doc {
  readonly doc?: string;
  readonly tags?: readonly { readonly kind: string; readonly doc?: string }[];
}

/** The pages of files. */
function pages(files: readonly string[]): Map<string, Page> {
  const { stdout, stderr, status } = spawnSync(
    join(ROOT, "node_modules/.bin/deno"),
    ["doc", "--quiet", "--json", ...files],
    { cwd: ROOT, encoding: "utf8", maxBuffer: 1 << 28 },
  );
  assert.equal(status, 0, stderr);
  const { nodes } = JSON.parse(stdout) as { nodes: Record<string, Page> };
  return new Map(
    Object.entries(nodes).map(([url, page]) => [url.split(ROOT)[1]!, page]),
  );
}

/** The places without a docstring. */
function undocumented(file: string, { module_doc, symbols }: Page): string[] {
  const missing = module_doc?.doc || file.includes("generated/") ? [] : [file];
  for (const { name, declarations } of symbols) {
    for (const { kind, jsDoc, def, location } of declarations) {
      // Of hey-api, whose code this is not.
      if (OTHERS.test(location.filename)) continue;
      // What another page has; what stands behind overloads.
      if (kind === "reference") continue;
      if (declarations.length > 1 && isBody(def)) continue;
      if (!said(jsDoc)) missing.push(`${file} ${name}`);
      missing.push(...members(def, `${file} ${name}`));
    }
  }
  return missing;
}

const OTHERS = /generated\/(client|core|sdk\.gen)|node_modules/;

/** Tags that `deno doc` does not know, and does not show. */
function unknownTags(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const { kind, value: text } = value as { kind?: unknown; value?: unknown };
  if (kind === "unsupported") return [String(text)];
  return Object.values(value).flatMap(unknownTags);
}

/** Times in milliseconds whose docstring does not say so. */
function unitless(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const { name, jsDoc } = value as Partial<Member>;
  const bad = typeof name === "string" && /[a-z]Ms$/.test(name) && jsDoc &&
    !/millisecond/i.test(jsDoc.doc ?? "");
  return [...bad ? [name] : [], ...Object.values(value).flatMap(unitless)];
}

function isBody(def: unknown): boolean {
  return (def as { hasBody?: boolean } | undefined)?.hasBody === true;
}

function said(doc: Doc | undefined): boolean {
  return Boolean(doc?.doc || doc?.tags?.some(({ doc }) => doc));
}

/** Members without a docstring, at any depth of a type. */
function members(def: unknown, at: string): string[] {
  if (typeof def !== "object" || def === null) return [];
  if (Array.isArray(def)) return def.flatMap((item) => members(item, at));
  return Object.entries(def).flatMap(([key, value]) => {
    if (!LISTS.includes(key)) return members(value, at);
    return (value as Member[]).flatMap((member) => {
      if (member.accessibility === "private") return [];
      const place = `${at}.${member.name}`;
      const own = said(member.jsDoc) ? [] : [place];
      return [...own, ...members({ ...member, jsDoc: undefined }, place)];
    });
  });
}

const LISTS = ["properties", "methods", "constructors"];

interface Member {
  readonly name: string;
  readonly accessibility?: string;
  readonly jsDoc?: Doc;
}

const denoTest = testIf("Deno" in globalThis, "deno doc reads the sources");

denoTest("every exported symbol, member and field has a docstring", () => {
  const files = [
    ...Object.values(project.exports),
    // The methods of a client, which are exported by way of `Client`.
    "src/generated/api.gen.ts",
  ];
  const found = pages(files);
  assert.equal(found.size, files.length);
  const missing = [...found].flatMap(([file, page]) =>
    undocumented(file, page)
  );
  assert.deepEqual(missing, []);
  const shown = [...found].filter(([file]) => file !== "src/sdk/mod.ts")
    .map(([, page]) => page);
  assert.deepEqual(unknownTags(shown), []);
  assert.deepEqual(unitless(shown), []);
});

denoTest(
  "docstrings of wire types tell releases, features and defaults",
  () => {
    const { symbols } = pages(["src/generated/types.gen.ts"]).values().next()
      .value!;
    let checked = 0;
    for (const [name, { properties = {} }] of Object.entries(schemas)) {
      const symbol = symbols.find((one) => one.name === name)!;
      const fields = fieldsOf(symbol.declarations[0]!.def);
      for (const [key, property] of Object.entries(properties)) {
        const { default: value, "x-since": since, "x-feature": feature } =
          property;
        const text = fields.get(key)!.jsDoc!.doc!.replaceAll(/\s+/g, " ");
        const at = `${name}.${key}: ${text}`;
        if (since) assert.ok(text.includes(`Since ${since}.`), at);
        if (feature) assert.ok(text.includes(`feature \`${feature}\``), at);
        if (value !== undefined) {
          assert.ok(
            text.includes(`Default: \`${JSON.stringify(value)}\`.`),
            at,
          );
        }
        checked++;
      }
    }
    assert.ok(checked > 300, `${checked}`);
  },
);

function fieldsOf(def: unknown): Map<string, Member> {
  const found = new Map<string, Member>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key !== "properties") visit(inner);
      else for (const one of inner as Member[]) found.set(one.name, one);
    }
  };
  visit(def);
  return found;
}

/** Units by the names of fields; entries and ports are counted, too. */
const UNITS: readonly [RegExp, RegExp][] = [
  [/(^|_)(sizes?|ram|balloon|bytes|mtu)$/, /byte|entries|ports|number of/i],
  [/latency/, /microseconds/],
  [/_ms$|refill_time/, /milliseconds/],
  [/_s$/, /, in seconds/],
  [/_bits$/, /in bits/],
];

test("the spec gives the unit of each size and time", () => {
  let checked = 0;
  for (const [name, { properties = {} }] of Object.entries(schemas)) {
    for (
      const [key, { type, items, description }] of Object.entries(properties)
    ) {
      if (![type, items?.type].flat().includes("integer")) continue;
      const unit = UNITS.find(([names]) => names.test(key))?.[1];
      if (unit === undefined) continue;
      assert.match(description!, unit, `${name}.${key}`);
      checked++;
    }
  }
  assert.ok(checked > 40, `${checked}`);
});

/** Doc comments that begin with a question word. */
function questions(file: string): string[] {
  const source = readFileSync(join(ROOT, file), "utf8");
  return [...source.matchAll(QUESTION)].map(([start]) => `${file}: ${start}`);
}

const QUESTION =
  /(\/\*\*\s+(\* )?|^\s*\* @(returns|param \w+) )(What|Whether|How|Where|Which)\b/gm;

const FOLDERS = [
  "src",
  "testing",
  "tests",
  "codegen",
  "tools",
  "examples",
  "bench",
] as const;

test("no doc comment begins with a question word", () => {
  const files = ["mod.ts"];
  for (const folder of FOLDERS) {
    const names = readdirSync(join(ROOT, folder), { recursive: true });
    files.push(...names.map((name) => `${folder}/${name}`));
  }
  const written = files.filter((file) =>
    file.endsWith(".ts") && !OTHERS.test(file)
  );
  assert.ok(written.length > 200, `${written.length}`);
  assert.deepEqual(written.flatMap(questions), []);
});
