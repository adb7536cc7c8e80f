/** The command of each runtime for a test file, and the reader of its report. */
import { fileURLToPath } from "node:url";
import type { Case } from "./case.ts";
import { parseJunit } from "./junit.ts";

export interface Runtime {
  name: string;
  /**
   * Returns the arguments that run a file and write a report of it. With
   * `words` only the tests run that have these words in their names.
   */
  args(file: string, report: string, testMs: number, words?: string): string[];
  read(report: string): Case[];
}

/** The folder of the packages' programs. */
export const BIN: string = local("../../node_modules/.bin/");

export const runtimes: readonly Runtime[] = [
  {
    name: "deno",
    args: (file, report, _, words) => [
      ...["test", "-A", "--no-check", "--preload", local("uncaught.ts")],
      ...words ? ["--filter", words] : [],
      ...isSanitized(file) ? ["--sanitize-ops", "--sanitize-resources"] : [],
      ...["--junit-path", report, file],
    ],
    read: parseJunit,
  },
  {
    name: "bun",
    args: (file, report, testMs, words) => [
      ...["test", "--timeout", `${testMs}`],
      ...words ? ["--test-name-pattern", words] : [],
      ...["--reporter=junit", "--reporter-outfile", report, `./${file}`],
    ],
    read: parseJunit,
  },
  {
    name: "node",
    args: (file, report, testMs, words) => [
      ...["--test", `--test-timeout=${testMs}`],
      ...words ? ["--test-name-pattern", words] : [],
      ...["--test-reporter", local("reporter.ts")],
      ...["--test-reporter-destination", report, file],
    ],
    read: (report) =>
      report.trimEnd().split("\n").filter(Boolean).map((line) =>
        JSON.parse(line)
      ),
  },
];

/** Deno checks that these files leave nothing open. */
function isSanitized(file: string): boolean {
  return file.startsWith("tests/deno/");
}

/**
 * Deno alone runs these files: those of its sanitizers, and the tests of the
 * repository, which a runtime does not change.
 */
export function isForDeno(file: string): boolean {
  return isSanitized(file) || REPOSITORY.test(file);
}

const REPOSITORY =
  /^tests\/(codegen|project\/(?!package|snippets|exports|test_runner))/;

function local(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
