/** The sizes of the project: `deno task figures`. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import project from "../deno.json" with { type: "json" };
import { BIN } from "./test/runtimes.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

export interface Figures {
  /** Lines of hand-written TypeScript, by folder. */
  readonly lines: Readonly<Record<string, number>>;
  /** The longest hand-written files of src, testing, codegen and tools. */
  readonly longest: readonly (readonly [path: string, lines: number])[];
  /** Bytes of the TypeScript that is published, generated code included. */
  readonly published: number;
  readonly readmeLines: number;
  /** Bytes of mod.ts as a minified bundle. */
  readonly bundle: number;
}

const SHIPPED = ["src", "testing", "codegen", "tools"];

/** Measures the files as they are. */
export function figures(): Figures {
  const lines = (path: string): number => read(path).split("\n").length - 1;
  const folders = [...SHIPPED, "tests", "bench", "examples"].map((folder) =>
    [folder, handWritten(folder)] as const
  );
  const sum = (paths: readonly string[]): number =>
    paths.reduce((total, path) => total + lines(path), 0);
  return {
    lines: Object.fromEntries(
      folders.map(([folder, paths]) => [folder, sum(paths)]),
    ),
    longest: folders.filter(([folder]) => SHIPPED.includes(folder))
      .flatMap(([, paths]) => paths)
      .map((path) => [path, lines(path)] as const)
      .sort(([, a], [, b]) => b - a).slice(0, 5),
    published: published().reduce(
      (total, path) => total + readFileSync(join(ROOT, path)).length,
      0,
    ),
    readmeLines: lines("README.md"),
    bundle: bundle().length,
  };
}

/** Returns the bundle that Bun makes of mod.ts. */
export function bundle(): string {
  const directory = mkdtempSync(join(tmpdir(), "chv-bundle-"));
  const path = join(directory, "bundle.mjs");
  try {
    const { status, stderr } = spawnSync(join(BIN, "bun"), [
      ...["build", "--minify", join(ROOT, "mod.ts"), `--outfile=${path}`],
    ], { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
    return readFileSync(path, "utf8");
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function published(): string[] {
  const { exclude } = project.publish;
  return ["mod.ts", ...typescript("src"), ...typescript("testing")]
    .filter((path) => !exclude.includes(path));
}

function handWritten(folder: string): string[] {
  return typescript(folder)
    .filter((path) => !path.startsWith("src/generated/"));
}

function typescript(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((path) => path.endsWith(".ts") && !path.includes("node_modules"))
    .sort();
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

if (import.meta.main) {
  const { lines, longest, published, readmeLines, bundle } = figures();
  for (const [folder, count] of Object.entries(lines)) {
    console.log(`lines of ${folder}: ${count}`);
  }
  for (const [path, count] of longest) {
    console.log(`longest files: ${path}, ${count} lines`);
  }
  console.log(`published TypeScript: ${(published / 1e6).toFixed(3)} MB`);
  console.log(`lines of README.md: ${readmeLines}`);
  console.log(`bundle of mod.ts: ${(bundle / 1024).toFixed(2)} KiB`);
}
