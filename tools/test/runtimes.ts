/** How each runtime runs a test file, and how its report is read. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Case } from "./case.ts";
import { parseJunit } from "./junit.ts";

export interface Runtime {
  name: string;
  /** The arguments that run a file, relative to the root, to a report. */
  args(file: string, report: string, testMs: number): string[];
  read(report: string): Case[];
}

export const runtimes: readonly Runtime[] = [
  {
    name: "deno",
    args: (file, report) => [
      ...["test", "-A", "--no-check", "--preload", local("uncaught.ts")],
      ...file.startsWith("tests/deno/")
        ? ["--sanitize-ops", "--sanitize-resources"]
        : [],
      ...["--junit-path", report, file],
    ],
    read: parseJunit,
  },
  {
    name: "bun",
    args: (file, report, testMs) => [
      ...["test", "--timeout", `${testMs}`],
      ...["--reporter=junit", "--reporter-outfile", report, `./${file}`],
    ],
    read: parseJunit,
  },
  {
    name: "node",
    args: (file, report, testMs) => [
      ...["--test", `--test-timeout=${testMs}`],
      ...["--test-reporter", local("reporter.ts")],
      ...["--test-reporter-destination", report, file],
    ],
    read: (report) =>
      report.trimEnd().split("\n").filter(Boolean).map((line) =>
        JSON.parse(line)
      ),
  },
];

/** Where the packages' programs are. */
export const BIN: string = fileURLToPath(
  new URL("../../node_modules/.bin/", import.meta.url),
);

function local(name: string): string {
  return join(fileURLToPath(new URL(".", import.meta.url)), name);
}
