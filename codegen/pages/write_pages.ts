/**
 * Writes the pages that the spec and the code determine: `deno task docs`. The
 * Markdown pages are committed; docs/api, which has every symbol as HTML, is not.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import project from "../../deno.json" with { type: "json" };
import { architecture } from "./architecture_page.ts";
import { errorsPage, generalCodes } from "./errors_page.ts";
import { publicApiPage } from "./public_api_page.ts";
import { readSpec } from "../spec.ts";
import { operationsPage } from "./operations_page.ts";
import { withReleases } from "./releases.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const spec = readSpec(join(ROOT, "spec/cloud-hypervisor.yaml"));
mkdirSync(join(ROOT, "docs"), { recursive: true });
writeFileSync(
  join(ROOT, "docs/operations.md"),
  operationsPage(spec, generalCodes(spec)),
);
writeFileSync(join(ROOT, "docs/errors.md"), errorsPage(spec));
writeFileSync(
  join(ROOT, "docs/public-api.md"),
  publicApiPage(project.exports),
);
writeFileSync(join(ROOT, "docs/architecture.md"), architecture());
for (const path of ["README.md", "docs/compatibility.md"]) {
  const file = join(ROOT, path);
  writeFileSync(file, withReleases(readFileSync(file, "utf8"), spec));
}

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
  console.log(
    "docs/architecture.md, errors.md, operations.md, public-api.md, api/index.html, and the tables of releases in README.md and docs/compatibility.md",
  );
}
process.exitCode = status ?? 1;
