/**
 * Reports the drift in issues: `deno task spec:report --ref main`, with `gh`
 * logged in. One issue has what the spec lacks of upstream's head, and one for
 * each tag of upstream that the spec does not list has what changed since the
 * release before. Each issue is kept up to date.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { readDeviations } from "./deviations.ts";
import { drift, PROJECT, type Report } from "./drift.ts";
import { type TagReport, tagReports } from "./drift_tags.ts";
import { readSpec } from "./spec.ts";

const TITLE = "Upstream's spec has moved";

/** Runs `gh` with a text to read; returns what it printed. */
export type Gh = (args: string[], input?: string) => string;

/** Opens or updates the issue about the spec; returns a line about that. */
export function report({ lines, code }: Report, gh: Gh): string {
  // Skipped, or not to be compared: that is no news of the spec.
  if (code !== 1) return "no issue is needed";
  const intro = "What `deno task spec:drift` does not expect:";
  return openIssue(TITLE, [intro, block(lines), NEXT], gh);
}

/** Opens or updates the issue about a release; returns a line about that. */
export function reportTag(
  { tag, since, lines, code }: TagReport,
  gh: Gh,
): string {
  if (code !== 1) return `${tag}: no issue`;
  const changes = lines.length === 0
    ? [`Upstream's file is the same as at ${since}.`]
    : [`What changed in upstream's file since ${since}:`, block(lines)];
  const steps = 'CONTRIBUTING.md has the steps, under "When the VMM makes a ' +
    'release".';
  return openIssue(`Upstream has released ${tag}`, [...changes, steps], gh);
}

const NEXT = "CONTRIBUTING.md says what to do about it.";

function block(lines: readonly string[]): string {
  return ["```", ...lines, "```"].join("\n");
}

function openIssue(title: string, parts: readonly string[], gh: Gh): string {
  const body = parts.join("\n\n");
  const found = JSON.parse(gh([
    ...["issue", "list", "--state", "all", "--json", "number,title,body,state"],
    ...["--search", `in:title "${title}"`],
  ])) as { number: number; title: string; body: string; state: string }[];
  // The search takes words; the whole title decides.
  const same = found.filter((issue) => issue.title === title);
  const issue = same.find(({ state }) => state === "OPEN");
  const isTold = (text: string): boolean =>
    text.replaceAll("\r", "").trim() === body;
  // Somebody has closed an issue that says the same.
  const closed = same.find((other) =>
    issue === undefined && isTold(other.body)
  );
  if (closed) return `issue ${closed.number} was closed`;
  if (issue === undefined) {
    return gh(["issue", "create", "--title", title, "--body-file", "-"], body);
  }
  if (isTold(issue.body)) return `issue ${issue.number} says so already`;
  return gh(["issue", "edit", `${issue.number}`, "--body-file", "-"], body);
}

/** Returns the tags of upstream. */
export function readTags(repository: string, gh: Gh): string[] {
  const text = gh([
    ...["api", "--paginate", `repos/${repository}/git/matching-refs/tags/v`],
    ...["--jq", ".[].ref"],
  ]);
  return text.split("\n").map((ref) => ref.trim().replace("refs/tags/", ""))
    .filter((tag) => tag !== "");
}

if (import.meta.main) {
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const gh: Gh = (args, input = "") =>
    execFileSync("gh", args, { cwd, encoding: "utf8", input });
  const found = await drift(process.argv.slice(2));
  console.log(found.lines.join("\n"));
  console.log(report(found, gh).trim());
  const { upstream } = readDeviations(
    readFileSync(PROJECT.deviations, "utf8"),
  );
  const { info } = readSpec(
    new URL("../spec/cloud-hypervisor.yaml", import.meta.url),
  );
  const tags = readTags(upstream.repository, gh);
  for (const tag of await tagReports(tags, info["x-releases"])) {
    console.log(reportTag(tag, gh).trim());
  }
  if (found.code === 2) process.exitCode = 2;
}
