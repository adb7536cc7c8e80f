/** The request bodies of `tests/cases/`, and the files that they name. */
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { guestElf } from "../../examples/guest.ts";
import { parse } from "../../src/json/json.ts";
import type { CaseRelease } from "./case_releases.ts";
import { fixedVhd, qcow2, vhdx } from "./images.ts";

/** A file that cases can name. */
export interface CaseFile {
  readonly kind: string;
  readonly size?: number;
}

/** The outcome of one request. */
export interface Step {
  readonly step: "create" | "boot" | "op" | "info";
  readonly status?: number;
  /** An error chain, or the data of a response. */
  readonly body?: unknown;
  readonly state?: string;
  /** Sections of the configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly died?: { code: number | null; signal: string | null };
  readonly hangs?: true;
}

/** A body, and what real VMMs made of it. */
export interface BodyCase {
  readonly id: string;
  readonly operation: string;
  readonly body?: unknown;
  readonly base?: string;
  readonly boot?: false;
  readonly fakeFiles?: "any";
  readonly needsHost?: boolean;
  readonly alarmAllowed?: true;
  readonly hostDecides?: string;
  readonly real: Readonly<Record<CaseRelease, readonly Step[]>>;
}

/** A VM that exists before the request of a case. */
export interface Base {
  readonly config: unknown;
  readonly calls: readonly string[];
}

const { files, bases, cases } = parse(
  readFileSync(new URL("../cases/bodies.json", import.meta.url), "utf8"),
) as {
  readonly files: Readonly<Record<string, CaseFile>>;
  readonly bases: Readonly<Record<string, Base>>;
  readonly cases: readonly BodyCase[];
};

export const bodyCases: readonly BodyCase[] = cases;

/** The base of a case. Default: none, without calls. */
export function baseOf({ base }: BodyCase): Base {
  return base === undefined ? { config: undefined, calls: [] } : bases[base]!;
}

/**
 * Creates the files that a case and its base name. The fake needs no images
 * for `fakeFiles`.
 *
 * @returns A function that closes the sockets among them.
 */
export async function createFiles(
  one: BodyCase,
  directory: string,
  real: boolean,
): Promise<() => void> {
  const text = JSON.stringify(
    [one.body, baseOf(one).config],
    (_, value) => typeof value === "bigint" ? Number(value) : value,
  );
  const servers: Server[] = [];
  for (const [name, { kind, size = 0 }] of Object.entries(files)) {
    if (!text.includes(`$TMP/${name}`)) continue;
    if (!real && one.fakeFiles === "any" && kind !== "elf") continue;
    const path = join(directory, name);
    if (kind === "directory") mkdirSync(path);
    else if (kind === "socket") servers.push(await listen(path));
    else if (kind !== "missing") createFile(path, kind, size);
  }
  return () => {
    for (const server of servers) server.close();
  };
}

function createFile(path: string, kind: string, size: number): void {
  if (kind === "elf") writeFileSync(path, guestElf(""));
  else if (kind === "raw") {
    writeFileSync(path, "");
    truncateSync(path, size);
  } else {
    const image = { qcow2, vhdx, vhd: fixedVhd }[kind];
    writeFileSync(path, image!(size));
  }
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(path, () => resolve(server));
  });
}
