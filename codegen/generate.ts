/**
 * Makes src/generated from the spec: `deno task gen`. With `--if-stale` only
 * when it is missing or older than what it is made from.
 */
import { createClient } from "@hey-api/openapi-ts";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { apiSource } from "./writers/write_api.ts";
import { config } from "./hey_api_options.ts";
import { descriptionsSource } from "./writers/write_descriptions.ts";
import { describe } from "./docstrings.ts";
import { eventsSource } from "./writers/write_events.ts";
import { refusalsSource } from "./writers/write_refusals.ts";
import { requestsSource } from "./writers/write_requests.ts";
import { schemasSource } from "./writers/write_schemas.ts";
import { readSpec } from "./spec.ts";
import { trimHeyApi } from "./trim_hey_api.ts";
import { withVariants } from "./variants.ts";
import { wireKeywordsSource } from "./writers/write_wire_keywords.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SPEC = join(ROOT, "spec/cloud-hypervisor.yaml");
const OUTPUT = join(ROOT, "src/generated");

/** The files that are written from the spec alone. */
const SOURCES = {
  descriptions: descriptionsSource,
  events: eventsSource,
  refusals: refusalsSource,
  requests: requestsSource,
  schemas: schemasSource,
  wire_keywords: wireKeywordsSource,
};

/** Deletes `output` and writes it again from the spec at `specPath`. */
export async function generate(
  specPath: string,
  output: string,
): Promise<void> {
  const spec = readSpec(specPath);
  const typed = withVariants(spec);
  describe(typed);
  // Written beside it and moved, so that nobody reads half of it.
  const made = mkdtempSync(`${output}-`);
  try {
    await createClient(config(typed, made));
    trimHeyApi(made);
    const types = join(made, "types.gen.ts");
    writeFileSync(types, `${TYPES_HEADER}${readFileSync(types, "utf8")}`);
    writeFileSync(join(made, "api.gen.ts"), apiSource(typed));
    for (const [name, source] of Object.entries(SOURCES)) {
      writeFileSync(join(made, `${name}.gen.ts`), source(spec));
    }
    rmSync(output, { recursive: true, force: true });
    renameSync(made, output);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

/** The type with which an open enum of a configuration ends. */
const TYPES_HEADER =
  'import type { UnknownEnumValue } from "../generated_support/unknown_enum_value.ts";\n';

function stale(): boolean {
  const made = newest([OUTPUT], Math.min);
  const from = newest([
    join(ROOT, "spec"),
    join(ROOT, "codegen"),
    // Not the lock file, which every install writes anew.
    join(ROOT, "package.json"),
  ], Math.max);
  return made === undefined || from === undefined || made < from;
}

/** The newest or oldest change of a file below the paths. */
function newest(
  paths: string[],
  pick: (...times: number[]) => number,
): number | undefined {
  const times = paths.flatMap((path) => files(path))
    .map((file) => statSync(file).mtimeMs);
  return times.length === 0 ? undefined : pick(...times);
}

function files(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [];
  if (!found.isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => files(join(path, name)));
}

if (import.meta.main) {
  const [flag, ...rest] = process.argv.slice(2);
  if (rest.length > 0 || (flag !== undefined && flag !== "--if-stale")) {
    console.error("usage: generate.ts [--if-stale]");
    process.exit(2);
  }
  if (flag === undefined || stale()) {
    await generate(SPEC, OUTPUT);
    console.log(`src/generated made from spec/cloud-hypervisor.yaml`);
  }
}
