import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { readDeviations } from "../../codegen/deviations.ts";
import {
  drift,
  type Places,
  PROJECT,
  type Report,
} from "../../codegen/drift.ts";
import { newTags, tagReports } from "../../codegen/drift_tags.ts";
import { type Fact, facts } from "../../codegen/spec_model.ts";

const UPSTREAM = `
openapi: 3.0.1
paths:
  /vm.nmi: { put: { responses: { 204: { description: Sent. } } } }
components:
  schemas:
    Disk:
      type: object
      properties: { id: { type: string }, size: { type: integer, format: int64 } }
`;

/** With one difference, which is listed. */
const OURS = UPSTREAM.replace("int64", "uint64");
const LISTED = "Disk.size format: int64 -> uint64";

/** The files that are compared, in a directory of their own. */
function project(
  t: TestContext,
  { upstream = UPSTREAM, listed = LISTED } = {},
): { upstream: string; places: Partial<Places> } {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "chv-test-")));
  t.after(() => rmSync(directory, { recursive: true }));
  const write = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const deviations = `
upstream:
  repository: owner/name
  path: api/spec.yaml
  ref: abc123
  sha256: ${createHash("sha256").update(UPSTREAM).digest("hex")}
deviations:
  - reason: Unsigned.
    evidence: source.rs:12
    differences: |
${listed.replace(/^/gm, "      ")}
`;
  return {
    upstream: write("upstream.yaml", upstream),
    places: {
      spec: write("ours.yaml", OURS),
      deviations: write("deviations.yaml", deviations),
    },
  };
}

/** Serves at an origin until the test ends. */
async function serve(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("drift() is silent about what is listed", async (t) => {
  const { upstream, places } = project(t);
  const { lines, code } = await drift(["--file", upstream], places);
  assert.equal(code, 0);
  assert.equal(lines.length, 1);
  assert.match(
    lines[0]!,
    /^drift: none, 1 paths and 1 schemas .* 1 deviations/,
  );
});

test("drift() tells of anything else in a line each", async (t) => {
  const changes: [from: string, to: string, line: string][] = [
    ["string", "boolean", "Disk.id: upstream boolean, ours string"],
    ["id: { type: string }, ", "", "Disk.id: upstream absent, ours string"],
    [
      "paths:",
      "paths:\n  /vm.new: {}",
      "/vm.new: upstream present, ours absent",
    ],
    [
      "{ 204:",
      "{ 404: {}, 204:",
      "/vm.nmi PUT 404: upstream empty, ours absent",
    ],
    ["int64", "uint64", "Disk.size format: listed, but gone"],
    [
      "int64",
      "int32",
      "Disk.size format: upstream int32, ours uint64, listed as int64 -> uint64",
    ],
  ];
  for (const [from, to, line] of changes) {
    await t.test(line, async (t) => {
      const changed = UPSTREAM.replace(from, to);
      const { upstream, places } = project(t, { upstream: changed });
      const report = await drift(["--file", upstream], places);
      assert.deepEqual(report, { lines: [`drift: ${line}`], code: 1 });
    });
  }
});

test("drift() compares with the file at the ref", async (t) => {
  const { places } = project(t);
  const asked: string[] = [];
  const origin = await serve(t, ({ url }, response) => {
    asked.push(url!);
    response.end(url!.includes("v2") ? `${UPSTREAM}# later\n` : UPSTREAM);
  });
  assert.equal((await drift([], { ...places, origin })).code, 0);
  // What was not reviewed has no sum.
  assert.equal((await drift(["--ref", "v2"], { ...places, origin })).code, 0);
  assert.deepEqual(asked, [
    "/owner/name/abc123/api/spec.yaml",
    "/owner/name/v2/api/spec.yaml",
  ]);
});

test("drift() tells of a file that is not the reviewed one", async (t) => {
  const { places } = project(t);
  const origin = await serve(t, (_, response) => {
    response.end(`${UPSTREAM}# other\n`);
  });
  const { lines, code } = await drift([], { ...places, origin });
  assert.equal(code, 1);
  assert.equal(lines.length, 1);
  assert.match(
    lines[0]!,
    /^drift: .*spec.yaml: sha256 [0-9a-f]{64}, reviewed /,
  );
});

test("drift() skips where upstream is not reachable", async (t) => {
  const skipped: Report = {
    lines: ["drift: skipped, upstream not reachable"],
    code: 0,
  };
  const { places } = project(t);
  await t.test("nobody listens", async () => {
    const origin = "http://127.0.0.1:1";
    assert.deepEqual(await drift([], { ...places, origin }), skipped);
  });
  await t.test("out of order", async (t) => {
    const origin = await serve(t, (_, response) => {
      response.writeHead(503).end();
    });
    assert.deepEqual(await drift([], { ...places, origin }), skipped);
  });
  await t.test("no answer", async (t) => {
    const origin = await serve(t, () => {});
    const hasty = { ...places, origin, patienceMs: 50 };
    assert.deepEqual(await drift([], hasty), skipped);
  });
});

test("drift() prints what upstream changed since a tag", async (t) => {
  const { upstream, places } = project(t);
  const origin = await serve(t, ({ url }, response) => {
    const text = url!.includes("/v2/")
      ? UPSTREAM
      : UPSTREAM.replace("id: { type: string }, ", "");
    response.end(text);
  });
  const changed = { lines: ["Disk.id: absent -> string"], code: 0 };
  const at = { ...places, origin };
  assert.deepEqual(await drift(["--since", "v1", "--ref", "v2"], at), changed);
  const file = ["--since", "v1", "--file", upstream];
  assert.deepEqual(await drift(file, at), changed);
  assert.deepEqual(await drift(["--since", "v2", "--file", upstream], at), {
    lines: [
      `drift: none from ${origin}/owner/name/v2/api/spec.yaml to ${upstream}`,
    ],
    code: 0,
  });
  const away = { ...places, origin: "http://127.0.0.1:1" };
  const { lines } = await drift(file, away);
  assert.deepEqual(lines, ["drift: skipped, upstream not reachable"]);
});

test("drift() says in a line why it cannot tell", async (t) => {
  const { upstream, places } = project(t);
  const cannot = async (
    why: RegExp,
    args: string[],
    other: Partial<Places> = {},
  ): Promise<void> => {
    const { lines, code } = await drift(args, { ...places, ...other });
    assert.equal(code, 2, lines[0]);
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, why);
    assert.doesNotMatch(lines[0]!, /\n/);
  };
  await cannot(/usage.*--nope/, ["--nope"]);
  await cannot(/usage/, ["upstream.yaml"]);
  await cannot(/usage/, ["--file"]);
  await cannot(/usage/, ["--ref", ""]);
  await cannot(/usage/, ["--since"]);
  await cannot(/usage/, ["--since", ""]);
  await cannot(/usage/, ["--file", upstream, "--ref", "v2"]);
  await cannot(/missing: ENOENT/, ["--file", join(tmpdir(), "chv", "missing")]);
  await t.test("a ref that there is not", async (t) => {
    const origin = await serve(t, (_, response) => {
      response.writeHead(404).end("404: Not Found");
    });
    await cannot(/no such file/, ["--ref", "nope"], { origin });
  });
  await t.test("no YAML, no OpenAPI", async (t) => {
    for (const text of ["a: [", "- a", "", "just text"]) {
      const { upstream } = project(t, { upstream: text });
      await cannot(/upstream\.yaml: /, ["--file", upstream]);
    }
  });
  await t.test("a list that is not sound", async (t) => {
    for (const listed of ["no difference", `${LISTED}\n${LISTED}`, ""]) {
      const { places } = project(t, { listed });
      await cannot(/deviations\.yaml: /, ["--file", upstream], places);
    }
  });
});

test("the command reads a file from where it was called", (t) => {
  const { upstream } = project(t, { upstream: "no OpenAPI" });
  const { Deno: deno } = globalThis as { Deno?: unknown };
  const { status, stdout } = spawnSync(
    process.execPath,
    [
      ...deno ? ["run", "-A"] : [],
      fileURLToPath(new URL("../../codegen/drift.ts", import.meta.url)),
      ...["--file", "upstream.yaml"],
    ],
    {
      cwd: tmpdir(),
      env: { ...process.env, INIT_CWD: join(upstream, "..") },
      encoding: "utf8",
    },
  );
  assert.equal(stdout, `drift: ${upstream}: no OpenAPI document\n`);
  assert.equal(status, 2);
});

test("spec/deviations.yaml lists what our spec has", () => {
  const ours = new Map<string, string>();
  const walk = ({ parts }: Fact, at: string): void => {
    for (const [part, fact] of parts) {
      ours.set(at + part, fact.value);
      walk(fact, at + part);
    }
  };
  const spec = parse(read("cloud-hypervisor.yaml"), { intAsBigInt: true });
  walk(facts(spec), "");
  for (const [at, change] of readDeviations(read("deviations.yaml")).listed) {
    const listed = change.slice(change.lastIndexOf(" -> ") + 4);
    assert.equal(listed, ours.get(at) ?? "absent", at);
  }
});

function read(name: string): string {
  return readFileSync(new URL(`../../spec/${name}`, import.meta.url), "utf8");
}

const RELEASES = ["v48.0", "v52.0", "v53.0", "v54.0-dev"].map((name) => ({
  name,
}));

test("newTags() finds releases that the spec does not list", () => {
  const old = ["v0.3.0", "v47.0", "v48.0", "v53.0", "v54.0-rc1", "vhost"];
  assert.deepEqual(newTags(old, RELEASES), []);
  assert.deepEqual(newTags(["v55.0", "v52.1", "v54.0", ...old], RELEASES), [
    "v52.1",
    "v54.0",
    "v55.0",
  ]);
});

test("tagReports() compares each new tag with the release before", async (t) => {
  const { places } = project(t);
  const origin = await serve(t, ({ url }, response) => {
    const text = url!.includes("/v55.0/")
      ? UPSTREAM.replace("int64", "uint64").replace("vm.nmi", "vm.new")
      : UPSTREAM;
    response.end(text);
  });
  const all = { ...PROJECT, ...places, origin };
  const reports = await tagReports(["v52.1", "v53.0", "v55.0"], RELEASES, all);
  assert.deepEqual(reports, [
    { tag: "v52.1", since: "v52.0", lines: [], code: 1 },
    {
      tag: "v55.0",
      since: "v53.0",
      lines: [
        "/vm.nmi: present -> absent",
        "Disk.size format: int64 -> uint64",
        "/vm.new: absent -> present",
      ],
      code: 1,
    },
  ]);
  const gone = { ...all, origin: "http://127.0.0.1:1" };
  const [report] = await tagReports(["v55.0"], RELEASES, gone);
  assert.equal(report!.code, 0);
});
