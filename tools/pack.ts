/**
 * Makes the tarball for npm: `deno task pack`. `deno pack` compiles; what it
 * leaves to be wished is mended here: its package.json lacks what npm shows
 * and what provenance is checked against, and its source maps name the
 * directory that they were made in.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import own from "../package.json" with { type: "json" };

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DENO = join(ROOT, "node_modules/.bin/deno");

export interface PackOptions {
  /** The directory that gets the tarball. */
  out: string;
  /** On GitHub, as `owner/name`. */
  repository?: string | undefined;
}

/** The path of the tarball that it makes of what src/generated is now. */
export function pack({ out, repository }: PackOptions): string {
  const directory = mkdtempSync(join(tmpdir(), "chv-pack-"));
  const run = (program: string, ...args: string[]): string =>
    execFileSync(program, args, { cwd: ROOT, encoding: "utf8", stdio: "pipe" });
  try {
    const raw = join(directory, "raw.tgz");
    run(DENO, "pack", "--no-source-maps", "--allow-dirty", "--output", raw);
    run("tar", "-xzf", raw, "-C", directory);
    const folder = join(directory, "package");
    mend(join(folder, "package.json"), (text) => manifest(text, repository));
    mend(join(folder, "README.md"), npmImports);
    const made = run("npm", "pack", folder, "--pack-destination", out);
    return join(out, made.trim().split("\n").at(-1)!);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function mend(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, "utf8")));
}

/** What `deno pack` wrote, and what package.json knows besides. */
function manifest(text: string, repository: string | undefined): string {
  const made = JSON.parse(text) as Record<string, unknown>;
  const { description, keywords, engines } = own;
  const whole = { ...made, description, keywords, engines };
  const url = `git+https://github.com/${repository}.git`;
  return JSON.stringify(
    repository === undefined
      ? whole
      : { ...whole, repository: { type: "git", url } },
    null,
    2,
  );
}

/** Who reads this on npm has no jsr: specifiers, unless in Deno. */
function npmImports(text: string): string {
  return text.replaceAll('from "jsr:', 'from "');
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      out: { type: "string", default: "." },
      repository: { type: "string" },
    },
  });
  // A task runs in the project, wherever it was called from.
  const from = process.env["INIT_CWD"] ?? process.cwd();
  console.log(pack({ ...values, out: resolve(from, values.out) }));
}
