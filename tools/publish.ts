/**
 * Publishes what a tag names: `deno task release jsr --tag v0.1.0`, or `npm`.
 * Outside of GitHub Actions it only rehearses: provenance needs its identity.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import project from "../deno.json" with { type: "json" };
import { pack } from "./pack.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The reason why `tag` is not the release of `version`. */
export function obstacles(
  tag: string,
  version: string,
  changelog: string,
): string[] {
  const found: string[] = [];
  if (tag !== `v${version}`) {
    found.push(`the tag is ${tag}, the version in deno.json ${version}`);
  }
  const [, after = ""] = changelog.split(`\n## ${version}\n`);
  const [text = ""] = after.split("\n## ");
  if (text.trim() === "") {
    found.push(`CHANGELOG.md says nothing of ${version}`);
  }
  return found;
}

const publishers: Record<string, (real: boolean) => number | null> = {
  jsr: (real) =>
    run(
      join(ROOT, "node_modules/.bin/deno"),
      "publish",
      ...real ? [] : ["--dry-run", "--allow-dirty"],
    ),
  npm: (real) => {
    const out = mkdtempSync(join(tmpdir(), "chv-release-"));
    try {
      const repository = process.env["GITHUB_REPOSITORY"];
      const file = pack({ out, repository });
      const how = real ? "--provenance" : "--dry-run";
      return run("npm", "publish", file, "--access", "public", how);
    } finally {
      rmSync(out, { recursive: true });
    }
  },
};

function run(program: string, ...args: string[]): number | null {
  return spawnSync(program, args, { cwd: ROOT, stdio: "inherit" }).status;
}

function main(): number {
  const { values: { tag }, positionals: [registry] } = parseArgs({
    options: { tag: { type: "string" } },
    allowPositionals: true,
  });
  const publish = publishers[registry ?? ""];
  if (tag === undefined || publish === undefined) {
    console.error("usage: publish.ts jsr|npm --tag TAG");
    return 2;
  }
  const changelog = readFileSync(join(ROOT, "CHANGELOG.md"), "utf8");
  const found = obstacles(tag, project.version, changelog);
  found.forEach((line) => console.error(`release: ${line}`));
  if (found.length > 0) return 1;
  return publish(process.env["GITHUB_ACTIONS"] === "true") ?? 1;
}

if (import.meta.main) process.exitCode = main();
