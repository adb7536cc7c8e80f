/**
 * Compares our spec with upstream's: `deno task spec:drift`, at the ref that
 * was reviewed last, or with `--file F` or `--ref TAG` with another. What
 * spec/deviations.yaml lists is expected; anything else is printed. With
 * `--since TAG`, it compares upstream's file at that tag instead of our spec, and
 * prints what changed.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  changes,
  differences,
  readDeviations,
  unexpected,
  type Upstream,
} from "./deviations.ts";
import {
  DriftError,
  fetchBytes,
  specFacts,
  withContext,
} from "./upstream_file.ts";

/** Addresses of upstream's files. */
export interface Places {
  spec: string;
  deviations: string;
  /** Serves `/<repository>/<ref>/<path>`. */
  origin: string;
  /** Milliseconds that a fetch may take. */
  patienceMs: number;
}

export interface Report {
  lines: string[];
  /** 0: as expected, or skipped; 1: not as expected; 2: it could not be told. */
  code: 0 | 1 | 2;
}

/** Compares as the arguments say, in the project unless told otherwise. */
export async function drift(
  args: string[],
  places: Partial<Places> = {},
): Promise<Report> {
  try {
    return await compare(readArgs(args), { ...PROJECT, ...places });
  } catch (error) {
    if (!(error instanceof DriftError)) throw error;
    return { lines: [`drift: ${error.message}`], code: 2 };
  }
}

export const PROJECT: Places = {
  spec: fromRoot("spec/cloud-hypervisor.yaml"),
  deviations: fromRoot("spec/deviations.yaml"),
  origin: "https://raw.githubusercontent.com",
  patienceMs: 10_000,
};

interface Choice {
  file?: string | undefined;
  ref?: string | undefined;
  since?: string | undefined;
}

function readArgs(args: string[]): Choice {
  const options = {
    file: { type: "string" },
    ref: { type: "string" },
    since: { type: "string" },
  } as const;
  const { file, ref, since } = withContext(
    "usage: drift.ts [--file F | --ref TAG] [--since TAG]",
    () => {
      const { values } = parseArgs({ args, options });
      if (values.file !== undefined && values.ref !== undefined) {
        throw new Error("one or the other");
      }
      if (Object.values(values).includes("")) {
        throw new Error(
          "a value is empty",
        );
      }
      return values;
    },
  );
  // A task runs in the project, wherever it was called from.
  const from = process.env["INIT_CWD"] ?? process.cwd();
  return { file: file && resolve(from, file), ref, since };
}

async function compare(choice: Choice, places: Places): Promise<Report> {
  const { file, ref, since } = choice;
  const { upstream, listed } = withContext(
    places.deviations,
    () => readDeviations(readFileSync(places.deviations, "utf8")),
  );
  const url = urlOf(upstream, ref ?? upstream.ref, places);
  const bytes = file === undefined
    ? await fetchBytes(url, places.patienceMs)
    : withContext(file, () => readFileSync(file));
  if (bytes === undefined) return SKIPPED;
  const theirs = specFacts(bytes, file ?? url);
  if (since !== undefined) {
    const before = urlOf(upstream, since, places);
    const old = await fetchBytes(before, places.patienceMs);
    if (old === undefined) return SKIPPED;
    const lines = changes(specFacts(old, before), theirs);
    const none = `drift: none from ${before} to ${file ?? url}`;
    return { lines: lines.length === 0 ? [none] : lines, code: 0 };
  }
  const ours = specFacts(
    withContext(places.spec, () => readFileSync(places.spec)),
    places.spec,
  );

  const lines = unexpected(differences(theirs, ours), listed);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (file === undefined && ref === undefined && sha256 !== upstream.sha256) {
    lines.unshift(`${url}: sha256 ${sha256}, reviewed ${upstream.sha256}`);
  }
  if (lines.length > 0) {
    return { lines: lines.map((line) => `drift: ${line}`), code: 1 };
  }
  const [paths, schemas] = [/^\//, /^\w+$/].map((kind) =>
    [...ours.parts.keys()].filter((name) => kind.test(name)).length
  );
  const summary = `${paths} paths and ${schemas} schemas compared with ` +
    `${file ?? url}, ${listed.size} deviations as listed`;
  return { lines: [`drift: none, ${summary}`], code: 0 };
}

const SKIPPED: Report = {
  lines: ["drift: skipped, upstream not reachable"],
  code: 0,
};

function urlOf(
  { repository, path }: Upstream,
  ref: string,
  { origin }: Places,
): string {
  return `${origin}/${repository}/${ref}/${path}`;
}

function fromRoot(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

// Node before 24.2 knows no import.meta.main.
if (import.meta.main ?? process.argv[1]?.endsWith("codegen/drift.ts")) {
  const { lines, code } = await drift(process.argv.slice(2));
  console.log(lines.join("\n"));
  process.exitCode = code;
}
