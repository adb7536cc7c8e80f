/**
 * Makes the tarball for npm: `deno task pack --out DIR`. `deno pack` compiles,
 * and this adds what it leaves out: fields of package.json, the stand-in
 * program as a command, the documentation and the examples.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, normalize, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import project from "../deno.json" with { type: "json" };
import own from "../package.json" with { type: "json" };

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DENO = join(ROOT, "node_modules/.bin/deno");

/** On npm, the stand-in program is a command; as an entry, an import ran it. */
const PROGRAM = "./testing/cloud-hypervisor";
const COMMAND = "fake-cloud-hypervisor";

export interface PackOptions {
  /** The directory that gets the tarball; it is made if it is missing. */
  out: string;
  /** The repository on GitHub, such as `owner/name`. Links of the README lead there. */
  repository?: string | undefined;
}

/** Packs src/generated as it is, and returns the path of the tarball. */
export function pack({ out, repository }: PackOptions): string {
  const directory = mkdtempSync(join(tmpdir(), "chv-pack-"));
  const run = (program: string, ...args: string[]): string =>
    execFileSync(program, args, { cwd: ROOT, encoding: "utf8", stdio: "pipe" });
  try {
    const raw = join(directory, "raw.tgz");
    run(DENO, "pack", "--no-source-maps", "--allow-dirty", "--output", raw);
    run("tar", "-xzf", raw, "-C", directory);
    const folder = join(directory, "package");
    edit(join(folder, "package.json"), (text) => manifest(text, repository));
    const program = join(folder, `${PROGRAM}.js`);
    edit(program, (text) => `#!/usr/bin/env node\n${text}`);
    chmodSync(program, 0o755);
    addPages(folder, repository);
    mkdirSync(out, { recursive: true });
    const name = run("npm", "pack", folder, "--pack-destination", out);
    return join(out, name.trim().split("\n").at(-1)!);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Adds to the package.json of `deno pack` what the project's own has. */
function manifest(text: string, repository: string | undefined): string {
  const { exports, ...fields } = JSON.parse(text);
  delete exports[PROGRAM];
  const { description, keywords, engines } = own;
  const url = `https://github.com/${repository}`;
  const whole = {
    ...fields,
    exports,
    bin: { [COMMAND]: `${PROGRAM}.js` },
    sideEffects: false,
    description,
    keywords,
    engines,
    ...repository !== undefined && {
      homepage: `${url}#readme`,
      bugs: `${url}/issues`,
      repository: { type: "git", url: `git+${url}.git` },
    },
  };
  return JSON.stringify(whole, null, 2);
}

/** Adds the documentation and the examples, with links that lead somewhere. */
function addPages(folder: string, repository: string | undefined): void {
  const pages = readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`);
  const examples = readdirSync(join(ROOT, "examples"))
    .filter((name) => /\.(ts|md)$/.test(name))
    .map((name) => `examples/${name}`);
  for (const path of [...pages, ...examples]) {
    cpSync(join(ROOT, path), join(folder, path));
  }
  for (const path of ["README.md", "examples/README.md", ...pages]) {
    edit(join(folder, path), (text) => {
      // Users of npm have no jsr: specifiers, except in Deno.
      const imports = text.replaceAll('from "jsr:', 'from "');
      if (repository === undefined) return imports;
      return absoluteLinks(imports, path, folder, repository);
    });
  }
}

/**
 * Makes links absolute whose file is not in the package, and all links of the
 * README, which npm shows on a page of its own.
 */
function absoluteLinks(
  text: string,
  page: string,
  folder: string,
  repository: string,
): string {
  const base = `https://github.com/${repository}/blob/v${project.version}/`;
  return text.replaceAll(
    /(\]\(|^\[[^\]]+\]: )([\w./][^)\s:]*)(?=[)\s])/gm,
    (link, before: string, target: string) => {
      const [file = "", ...anchor] = target.split(/(?=#)/);
      const path = normalize(join(page, "..", file));
      if (page !== "README.md" && existsSync(join(folder, path))) return link;
      return `${before}${base}${path}${anchor.join("")}`;
    },
  );
}

function edit(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, "utf8")));
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
