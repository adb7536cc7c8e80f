/** The tables of the VMM's releases, in README.md and docs/compatibility.md. */
import { hasSince } from "../../src/generated_support/release.ts";
import { endpoints, type ReleaseEntry, type Spec } from "../spec.ts";
import { item, table } from "./markdown.ts";

/** Returns the page with each generated part written anew. */
export function withReleases(page: string, spec: Spec): string {
  const parts = { limits: limitsTable, dates: datesTable, added: additions };
  let text = page;
  for (const [name, lines] of Object.entries(parts)) {
    const [begin, end] = [`<!-- releases: ${name} -->`, "<!-- end -->"];
    const from = text.indexOf(begin);
    if (from < 0) continue;
    const to = text.indexOf(end, from);
    const part = ["", "", ...lines(spec), "", ""].join("\n");
    text = text.slice(0, from + begin.length) + part + text.slice(to);
  }
  return text;
}

/** Consecutive releases; what the last of them lacks, they all lack. */
type Group = ReleaseEntry[];

/** The limits of older releases: each row holds for all rows above it. */
function limitsTable(spec: Spec): string[] {
  const groups: Group[] = [[]];
  for (const release of spec.info["x-releases"]) {
    groups.at(-1)!.push(release);
    const { lacks, notes } = limitsOf(release, spec);
    if (lacks.length + notes.length > 0) groups.push([]);
  }
  const rows = groups.filter((group) => group.length > 0).map((group) => {
    const { lacks, notes } = limitsOf(group.at(-1)!, spec);
    const tested = group.filter(({ state }) => state === "tested");
    return [
      range(group.map(({ name }) => name)),
      tested.length === group.length
        ? "yes"
        : tested.map(({ name }) => name).join(", ") || "no",
      lacks.join(", "),
      notes.join("; "),
    ];
  });
  return table([
    ["release", "tested", "a script cannot use", "note"],
    ...rows,
  ]);
}

/** The facts that hold up to a release, and not for the next one. */
function limitsOf(
  { name, lacks = [], notes = [] }: ReleaseEntry,
  spec: Spec,
): { lacks: string[]; notes: string[] } {
  const releases = spec.info["x-releases"];
  const next = releases[releases.findIndex((one) => one.name === name) + 1];
  const operations = endpoints(spec)
    .filter(({ "x-since": since }) =>
      since !== undefined && !hasSince(name, since) &&
      (next === undefined || hasSince(next.name, since))
    )
    .map((endpoint) => `\`${endpoint.name}\``);
  return { lacks: [...operations, ...lacks], notes };
}

function range(values: string[]): string {
  const [first, last] = [values[0]!, values.at(-1)!];
  return first === last ? first : `${first} to ${last}`;
}

function datesTable({ info }: Spec): string[] {
  return table([
    ["release", "date", "state"],
    ...info["x-releases"].map(({ name, date, state, commit }) => [
      commit === undefined ? name : `${name} (upstream's commit ${commit})`,
      date,
      state,
    ]),
  ]);
}

/** The names that each release has first, as a list. */
function additions(spec: Spec): string[] {
  const added = new Map<string, string[]>();
  const add = (since: string | undefined, name: string): void => {
    if (since === undefined) return;
    added.set(since, [...added.get(since) ?? [], `\`${name}\``]);
  };
  for (const endpoint of endpoints(spec)) {
    add(endpoint["x-since"], endpoint.name);
  }
  for (const [name, schema] of Object.entries(spec.components.schemas)) {
    for (const [key, field] of Object.entries(schema.properties ?? {})) {
      add(field["x-since"], `${name}.${key}`);
    }
    for (
      const [value, since] of Object.entries(schema["x-since-values"] ?? {})
    ) {
      add(since, `${name}.${value}`);
    }
  }
  for (const { event, "x-since": since } of spec["x-events"]) {
    add(since, event);
  }
  return [...added].sort(([a], [b]) => hasSince(a, b) ? 1 : -1)
    .flatMap(([since, names]) => item(`**${since}**: ${names.join(", ")}`));
}
