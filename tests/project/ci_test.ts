/** The workflows of GitHub Actions, and the tasks that are only for them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import {
  type Gh,
  readTags,
  report,
  reportTag,
} from "../../codegen/drift_issue.ts";
import project from "../../deno.json" with { type: "json" };
import own from "../../package.json" with { type: "json" };
import { obstacles } from "../../tools/publish.ts";
import { testIf } from "../support/skip.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FOLDER = join(ROOT, ".github/workflows");
const LINTER = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";

interface Job {
  permissions?: Record<string, string>;
  steps?: { run?: string; uses?: string }[];
  strategy?: { matrix: { runtime?: string[]; registry?: string[] } };
  uses?: string;
  "timeout-minutes"?: number;
}

interface Workflow {
  concurrency: { group: string };
  jobs: Record<string, Job>;
  permissions: Record<string, string>;
}

const workflows = Object.fromEntries(
  readdirSync(FOLDER).map((name) => [
    name,
    parse(readFileSync(join(FOLDER, name), "utf8")) as Workflow,
  ]),
);
const jobs = Object.values(workflows).flatMap(({ jobs }) =>
  Object.values(jobs)
);
const steps = jobs.flatMap(({ steps = [] }) => steps);

function lint(...args: string[]): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(
    "go",
    ["run", LINTER, ...args],
    { cwd: ROOT, encoding: "utf8", timeout: 50_000 },
  );
  return { status, said: `${stdout}${stderr}` };
}

testIf(
  "Deno" in globalThis && lint("-version").status === 0,
  "Deno runs it alone, with Go and its module proxy",
)("actionlint finds nothing in the workflows", () => {
  // By name: without them it looks for a Git repository.
  const files = Object.keys(workflows).map((name) => join(FOLDER, name));
  const { status, said } = lint("-shellcheck=", "-pyflakes=", ...files);
  assert.equal(status, 0, said);
});

test("each workflow may little, ends, and runs pinned actions", () => {
  assert.deepEqual(Object.keys(workflows).sort(), [
    "ci.yml",
    "drift.yml",
    "release.yml",
  ]);
  for (const { permissions, concurrency } of Object.values(workflows)) {
    assert.deepEqual(permissions, { contents: "read" });
    assert.ok(concurrency.group);
  }
  for (const job of jobs) {
    if (job.uses === undefined) assert.ok(job["timeout-minutes"]);
    assert.notEqual(job.permissions?.["contents"], "write");
  }
  for (const { uses } of steps.filter(({ uses }) => uses !== undefined)) {
    assert.match(uses!, /@[0-9a-f]{40}$/);
  }
});

/** The commands of steps beside tasks. */
const COMMANDS = ["npm ci", "git diff --exit-code", "sudo chmod 0666 /dev/kvm"];

test("each step runs a task that runs locally", () => {
  const commands = steps.flatMap(({ run }) => run ?? []);
  assert.ok(commands.length >= 6);
  const others = commands.filter((command) => !COMMANDS.includes(command));
  for (const command of others) {
    const [, task] = /^npx deno task ([\w:-]+)/.exec(command) ?? [];
    assert.ok(task !== undefined && task in project.tasks, command);
    assert.doesNotMatch(command, /\$\{\{/, "takes text for a command");
  }
});

test("CI tests the oldest runtimes that package.json names, and newer", () => {
  const { runtime } = workflows["ci.yml"]!.jobs["test"]!.strategy!.matrix;
  for (const [name, range] of Object.entries(own.engines)) {
    const versions = runtime!.filter((row) => row.startsWith(`${name}@`));
    assert.ok(versions.includes(range.replace(">=", `${name}@`)), name);
    assert.equal(versions.length, 2);
  }
});

test("obstacles() names what keeps a tag from being released", () => {
  const changelog = "# Changelog\n\n## 1.1.0\n\n## 1.0.0\n\nThe first.\n";
  assert.deepEqual(obstacles("v1.0.0", "1.0.0", changelog), []);
  const found = (tag: string, version: string): string =>
    obstacles(tag, version, changelog).join();
  assert.match(found("v1.0.0", "1.1.0"), /the tag is v1\.0\.0.*1\.1\.0/);
  assert.match(found("v1.1.0", "1.1.0"), /^CHANGELOG\.md says nothing/);
  assert.match(found("v1.2.0", "1.2.0"), /^CHANGELOG\.md says nothing/);
  const own = readFileSync(join(ROOT, "CHANGELOG.md"), "utf8");
  assert.deepEqual(obstacles(`v${project.version}`, project.version, own), []);
});

interface Issue {
  readonly number: number;
  readonly title: string;
  body: string;
  state: "OPEN" | "CLOSED";
}

/** A `gh` that has these issues, and no network. */
function ghWith(issues: Issue[]): Gh {
  return (args, input) => {
    if (args[1] === "list") return JSON.stringify(issues);
    if (args[1] === "create") {
      const number = issues.length + 1;
      const title = args[3]!;
      issues.push({ number, title, body: `${input!}\r\n`, state: "OPEN" });
      return `created ${number}`;
    }
    const [, , number] = args;
    issues[Number(number) - 1]!.body = input!;
    return `edited ${number}`;
  };
}

test("report() opens one issue, and keeps it to what is so", () => {
  const title = "Upstream's spec has moved, or not";
  const issues: Issue[] = [{ number: 1, title, body: "", state: "OPEN" }];
  const gh = ghWith(issues);
  const now = (line: string, code: 0 | 1 | 2) =>
    report({ lines: [line], code }, gh);
  assert.equal(now("skipped", 0), "no issue is needed");
  assert.equal(now("unable", 2), "no issue is needed");
  assert.equal(issues.length, 1);
  assert.equal(now("drift: a", 1), "created 2");
  assert.equal(now("drift: a", 1), "issue 2 says so already");
  assert.equal(now("drift: b", 1), "edited 2");
  assert.equal(issues.length, 2);
  assert.match(issues[1]!.body, /drift: b/);
});

test("reportTag() opens one issue for each tag, and none that was closed", () => {
  const issues: Issue[] = [];
  const gh = ghWith(issues);
  const v55 = { tag: "v55.0", since: "v53.0", lines: ["a: b -> c"], code: 1 };
  const v56 = { tag: "v56.0", since: "v53.0", lines: [], code: 1 };
  const now = (of: typeof v55) => reportTag({ ...of, code: 1 }, gh);
  assert.equal(now(v55), "created 1");
  assert.equal(now(v56), "created 2");
  assert.equal(now(v55), "issue 1 says so already");
  const [first, second] = issues;
  assert.equal(first!.title, "Upstream has released v55.0");
  assert.match(first!.body, /since v53\.0:\n\n```\na: b -> c\n```/);
  assert.match(second!.body, /is the same as at v53\.0/);
  first!.state = "CLOSED";
  assert.equal(now(v55), "issue 1 was closed");
  assert.equal(reportTag({ ...v56, code: 0 }, gh), "v56.0: no issue");
  assert.equal(issues.length, 2);
});

test("readTags() reads what gh prints", () => {
  const asked: string[][] = [];
  const gh: Gh = (args) => {
    asked.push(args);
    return "refs/tags/v0.3.0\nrefs/tags/v53.0\n";
  };
  assert.deepEqual(readTags("owner/name", gh), ["v0.3.0", "v53.0"]);
  assert.ok(asked[0]!.includes("repos/owner/name/git/matching-refs/tags/v"));
});
