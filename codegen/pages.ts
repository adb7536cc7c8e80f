/**
 * Writes what can be read off the spec and the code: `deno task docs`. The
 * table of operations and the architecture are committed; docs/api, which holds
 * every symbol as HTML, is not.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import project from "../deno.json" with { type: "json" };
import { architecture } from "./architecture.ts";
import { readSpec } from "./spec.ts";
import { operationsPage } from "./table.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const spec = readSpec(join(ROOT, "spec/cloud-hypervisor.yaml"));
mkdirSync(join(ROOT, "docs"), { recursive: true });
writeFileSync(join(ROOT, "docs/operations.md"), operationsPage(spec));
writeFileSync(join(ROOT, "docs/architecture.md"), architecture());

rmSync(join(ROOT, "docs/api"), { recursive: true, force: true });
const { status } = spawnSync(
  join(ROOT, "node_modules/.bin/deno"),
  [
    "doc",
    "--quiet",
    "--html",
    `--name=${project.name}`,
    "--output=docs/api",
    ...Object.values(project.exports),
  ],
  { cwd: ROOT, stdio: "inherit" },
);
if (status === 0) {
  console.log("docs/operations.md, architecture.md, api/index.html");
}
process.exitCode = status ?? 1;
