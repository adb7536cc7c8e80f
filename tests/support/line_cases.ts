/** The command lines of `tests/cases/`, and the files that they name. */
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { guestElf } from "../../examples/guest.ts";
import { parse } from "../../src/json/json.ts";
import type { CaseRelease } from "./case_releases.ts";
import { qcow2 } from "./images.ts";

/** The outcome of a command line. */
export interface Outcome {
  /** True if the VM runs; without a VM, true if the API answers. */
  readonly up: boolean;
  /** `vm.info`, of a VM that runs or of a VMM without a VM. */
  readonly info?: {
    readonly status?: number;
    readonly state?: string;
    /** Sections of the configuration. */
    readonly config?: Readonly<Record<string, unknown>>;
  };
  /** The exit code, after SIGTERM if the VMM was up; else a signal's name. */
  readonly exit: number | string | null;
  /** The first line of stderr that is no log. */
  readonly stderrFirstLine?: string;
  /** The errors that are listed below that line. */
  readonly chain?: readonly string[];
}

/** A command line, and what real VMMs made of it. */
export interface LineCase {
  readonly id: string;
  readonly line: readonly string[];
  /** Why the stand-in program differs: only the host decides the outcome. */
  readonly hostDecides?: string;
  readonly real: Readonly<Record<CaseRelease, Outcome>>;
}

interface CaseFile {
  readonly kind: string;
  readonly size?: number;
}

const { files, cases } = parse(
  readFileSync(new URL("../cases/lines.json", import.meta.url), "utf8"),
) as {
  readonly files: Readonly<Record<string, CaseFile>>;
  readonly cases: readonly LineCase[];
};

export const lineCases: readonly LineCase[] = cases;

/** Creates the files that a command line names, and returns its arguments. */
export function placedLine(
  { line }: LineCase,
  directory: string,
): readonly string[] {
  for (const [name, { kind, size = 0 }] of Object.entries(files)) {
    if (!line.some((argument) => argument.includes(`$TMP/${name}`))) continue;
    const path = join(directory, name);
    if (kind === "directory") mkdirSync(path);
    else if (kind === "elf") writeFileSync(path, guestElf(""));
    else if (kind === "qcow2") writeFileSync(path, qcow2(size));
    else if (kind === "raw") {
      writeFileSync(path, "");
      truncateSync(path, size);
    }
  }
  return line.map((argument) => argument.replaceAll("$TMP", directory));
}

/** True if a command line has a VM. */
export function hasVm({ line }: LineCase): boolean {
  return ["--kernel", "--firmware", "--restore"].some((flag) =>
    line.includes(flag)
  );
}
