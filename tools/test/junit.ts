/** Reads the JUnit reports of Deno and Bun. */
import { XMLParser } from "fast-xml-parser";
import type { Case } from "./case.ts";

interface Report {
  testsuites: { testsuite?: { testcase?: TestCase[] }[] }[];
}

interface TestCase {
  name: string;
  failure?: Failure[];
  error?: Failure[];
  skipped?: unknown[];
}

/** Plain text where the element has no attributes. */
type Failure = string | { message?: string; text?: string };

/** The top-level tests of a report. */
export function parseJunit(xml: string): Case[] {
  const { testsuites } = parser.parse(xml) as Report;
  const all = testsuites
    .flatMap(({ testsuite }) => testsuite ?? [])
    .flatMap(({ testcase }) => testcase ?? [])
    .map((row) => ({ ...row, name: decode(row.name) }));
  const names = new Set(all.map(({ name }) => name));
  return all.filter(({ name }) => parent(name, names) === undefined)
    .map((row) =>
      toCase(row, all.filter((step) => parent(step.name, names) === row.name))
    );
}

/** Entities are left to `decode`: the parser limits their number. */
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "",
  textNodeName: "text",
  parseTagValue: false,
  processEntities: false,
  isArray: (_name, _path, _leaf, isAttribute) => !isAttribute,
});

function toCase(row: TestCase, steps: TestCase[]): Case {
  const failures = [row, ...steps].flatMap(({ failure, error }) => [
    ...failure ?? [],
    ...error ?? [],
  ]);
  const { name } = row;
  if (row.failure !== undefined || row.error !== undefined) {
    return { name, outcome: "failed", error: failures.map(text).join("\n") };
  }
  return { name, outcome: row.skipped === undefined ? "passed" : "skipped" };
}

/** Deno lists a subtest after all tests, as "test > subtest". */
function parent(name: string, names: Set<string>): string | undefined {
  for (
    let at = name.indexOf(" > ");
    at >= 0;
    at = name.indexOf(" > ", at + 1)
  ) {
    if (names.has(name.slice(0, at))) return name.slice(0, at);
  }
  return undefined;
}

function text(failure: Failure): string {
  if (typeof failure === "string") return decode(failure);
  return decode(failure.text ?? failure.message ?? "failed");
}

const ENTITIES: Record<string, string> = {
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  apos: "'",
};

function decode(escaped: string): string {
  return escaped.replaceAll(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (
    whole,
    decimal?: string,
    hex?: string,
    name?: string,
  ) => {
    if (name !== undefined) return ENTITIES[name] ?? whole;
    return String.fromCodePoint(
      decimal === undefined ? parseInt(hex!, 16) : Number(decimal),
    );
  });
}
