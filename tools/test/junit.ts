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

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "",
  textNodeName: "text",
  parseTagValue: false,
  // For character references such as `&#10;`.
  htmlEntities: true,
  processEntities: {
    enabled: true,
    maxTotalExpansions: Infinity,
    maxExpandedLength: Infinity,
  },
  isArray: (_name, _path, _leaf, isAttribute) => !isAttribute,
});

/** Returns the top-level tests of a report. */
export function parseJunit(xml: string): Case[] {
  const { testsuites } = parser.parse(xml) as Report;
  const all = testsuites.flatMap(({ testsuite }) => testsuite ?? [])
    .flatMap(({ testcase }) => testcase ?? []);
  const names = new Set(all.map(({ name }) => name));
  return all.filter(({ name }) => parentOf(name, names) === undefined)
    .map((test) => {
      const steps = all.filter(({ name }) =>
        parentOf(name, names) === test.name
      );
      return toCase(test, steps);
    });
}

/** Deno lists a subtest after all tests, as `test > subtest`. */
function parentOf(name: string, names: Set<string>): string | undefined {
  const parts = name.split(" > ");
  return parts.slice(1)
    .map((_, index) => parts.slice(0, index + 1).join(" > "))
    .find((start) => names.has(start));
}

function toCase(test: TestCase, steps: TestCase[]): Case {
  const { name, failure, error, skipped } = test;
  if (failure === undefined && error === undefined) {
    return { name, outcome: skipped === undefined ? "passed" : "skipped" };
  }
  const failures = [test, ...steps].flatMap(({ failure = [], error = [] }) =>
    [...failure, ...error].map((text) =>
      typeof text === "string" ? text : text.text ?? text.message ?? "failed"
    )
  );
  return { name, outcome: "failed", error: failures.join("\n") };
}
