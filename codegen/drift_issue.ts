/**
 * Tells of the drift in an issue: `deno task spec:report --ref main`, with
 * `gh` logged in. There is one such issue at a time, and it says what is so now.
 */
import { execFileSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { drift, type Report } from "./drift.ts";

const TITLE = "Upstream's spec has moved";

/** Runs `gh` with a text to read; gives what it printed. */
export type Gh = (args: string[], input?: string) => string;

/** Sees to the issue; what it did, in a line. */
export function report({ lines, code }: Report, gh: Gh): string {
  // Skipped, or not to be told: that is no news of the spec.
  if (code !== 1) return "no issue is needed";
  const body = [
    "What `deno task spec:drift` does not expect:",
    ["```", ...lines, "```"].join("\n"),
    "CONTRIBUTING.md says what to do about it.",
  ].join("\n\n");
  const found = JSON.parse(gh([
    ...["issue", "list", "--state", "open", "--json", "number,title,body"],
    ...["--search", `in:title "${TITLE}"`],
  ])) as { number: number; title: string; body: string }[];
  // The search takes words; the title is what tells.
  const issue = found.find(({ title }) => title === TITLE);
  if (issue === undefined) {
    return gh(["issue", "create", "--title", TITLE, "--body-file", "-"], body);
  }
  if (issue.body.replaceAll("\r", "").trim() === body) {
    return `issue ${issue.number} says so already`;
  }
  return gh(["issue", "edit", `${issue.number}`, "--body-file", "-"], body);
}

if (import.meta.main) {
  const found = await drift(process.argv.slice(2));
  console.log(found.lines.join("\n"));
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const done = report(
    found,
    (args, input = "") =>
      execFileSync("gh", args, { cwd, encoding: "utf8", input }),
  );
  console.log(done.trim());
  if (found.code === 2) process.exitCode = 2;
}
