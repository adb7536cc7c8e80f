/**
 * Compares our spec with upstream's: `deno task spec:drift`, against the ref
 * that was reviewed last, or with `--file F` or `--ref TAG` against another.
 * What spec/deviations.yaml lists is expected; anything else is printed.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import { type Data, type Fact, facts } from "./facts.ts";

/** Where things are; the tests have theirs. */
export interface Places {
  spec: string;
  deviations: string;
  /** Serves `/<repository>/<ref>/<path>`. */
  origin: string;
  /** How long a fetch may take. */
  patienceMs: number;
}

export interface Report {
  lines: string[];
  /** 0: as expected, or not compared; 1: not as expected; 2: not able to. */
  code: 0 | 1 | 2;
}

/** Runs the check as the arguments say. */
export async function drift(
  args: string[],
  places: Partial<Places> = {},
): Promise<Report> {
  const { spec, deviations, origin, patienceMs } = { ...PLACES, ...places };
  try {
    const { file, ref } = readArgs(args);
    const { upstream, listed } = readDeviations(deviations);
    const at = ref ?? upstream.ref;
    const bytes = file === undefined
      ? await fetched([origin, upstream.repository, at, upstream.path], patienceMs)
      : read(file);
    if (bytes === undefined) {
      return { lines: ["drift: skipped, upstream not reachable"], code: 0 };
    }
    const ours = specFacts(read(spec), spec);
    const theirs = specFacts(bytes, file ?? `upstream's file at ${at}`);
    const lines = unexpected(differences(theirs, ours), listed);
    if (file === undefined && at === upstream.ref) {
      const sum = createHash("sha256").update(bytes).digest("hex");
      if (sum !== upstream.sha256) {
        lines.unshift(`upstream: sha256 ${sum}, reviewed ${upstream.sha256}`);
      }
    }
    if (lines.length > 0) {
      return { lines: lines.map((line) => `drift: ${line}`), code: 1 };
    }
    const what = `${count(ours, /^\//)} paths and ${count(ours, /^\w+$/)}`;
    const line = `drift: none. ${what} schemas compared with ` +
      `${file ?? at}, ${listed.size} listed deviations`;
    return { lines: [line], code: 0 };
  } catch (error) {
    if (!(error instanceof Unable)) throw error;
    return { lines: [`drift: ${error.message}`], code: 2 };
  }
}

const PLACES: Places = {
  spec: fromRoot("spec/cloud-hypervisor.yaml"),
  deviations: fromRoot("spec/deviations.yaml"),
  origin: "https://raw.githubusercontent.com",
  patienceMs: 15_000,
};

/** What keeps the check from its work, in one line. */
class Unable extends Error {}

function readArgs(args: string[]): { file?: string; ref?: string } {
  const string = { type: "string" } as const;
  const { values: { file, ref } } = able("usage: [--file F | --ref TAG]", () =>
    parseArgs({ args, options: { file: string, ref: string } }));
  if (file !== undefined && ref !== undefined) {
    throw new Unable("--file and --ref exclude each other");
  }
  if (file === "" || ref === "") throw new Unable("the option has no value");
  // A task runs in the project's root, wherever it was called.
  const from = process.env["INIT_CWD"] ?? process.cwd();
  return {
    ...(file !== undefined && { file: resolve(from, file) }),
    ...(ref !== undefined && { ref }),
  };
}

interface Upstream {
  repository: string;
  path: string;
  /** As it was reviewed last. */
  ref: string;
  sha256: string;
}

/** What spec/deviations.yaml says, each difference by its place. */
function readDeviations(
  path: string,
): { upstream: Upstream; listed: Map<string, string> } {
  const { upstream, deviations } = able(path, () =>
    parse(read(path).toString()) as {
      upstream: Upstream;
      deviations: { reason: string; evidence: string; differences: string }[];
    });
  const listed = new Map<string, string>();
  able(path, () => {
    for (const key of ["repository", "path", "ref", "sha256"] as const) {
      if (!upstream[key]) throw new Error(`upstream has no ${key}`);
    }
    for (const { reason, evidence, differences } of deviations) {
      if (!reason || !evidence) throw new Error(`no reason or no evidence of ${differences}`);
      for (const line of differences.trim().split("\n")) {
        const [, at, change] = /^(.+?): (.* -> .*)$/.exec(line) ?? [];
        if (!at || !change) throw new Error(`"${line}" is no difference`);
        if (listed.has(at)) throw new Error(`${at} is listed twice`);
        listed.set(at, change);
      }
    }
  });
  return { upstream, listed };
}
