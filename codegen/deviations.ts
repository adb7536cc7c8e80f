/** Differences between our spec and upstream's, and the intended ones. */
import { parse } from "yaml";
import type { Fact } from "./spec_model.ts";

export interface Upstream {
  /** Owner and name, on GitHub. */
  repository: string;
  path: string;
  /** The commit, tag or branch that was reviewed last. */
  ref: string;
  /** Of the file at that ref. */
  sha256: string;
}

/** The content of spec/deviations.yaml. */
export interface Deviations {
  upstream: Upstream;
  /** The value upstream and ours, such as `int16 -> uint16`, by place. */
  listed: Map<string, string>;
}

/** The value of a fact in both specs. */
export interface Difference {
  upstream: string;
  ours: string;
}

/** @throws {Error} where a group gives no reason or evidence, or a line is no difference. */
export function readDeviations(text: string): Deviations {
  const { upstream, deviations } = (parse(text) ?? {}) as {
    upstream: Upstream;
    deviations: { reason: string; evidence: string; differences: string }[];
  };
  for (const key of ["repository", "path", "ref", "sha256"] as const) {
    if (!upstream?.[key]) throw new Error(`upstream has no ${key}`);
  }
  const listed = new Map<string, string>();
  for (const { reason, evidence, differences } of deviations ?? []) {
    for (const line of `${differences ?? ""}`.trim().split("\n")) {
      if (!reason || !evidence) {
        throw new Error(`no reason or evidence: ${line}`);
      }
      const [, at, change] = /^(.+?): (.+ -> .+)$/.exec(line) ?? [];
      if (!at || !change) throw new Error(`no difference: ${line}`);
      if (listed.has(at)) throw new Error(`listed twice: ${at}`);
      listed.set(at, change);
    }
  }
  return { upstream, listed };
}

/** By place; of what one of them lacks, nothing below it counts. */
export function differences(
  upstream: Fact | undefined,
  ours: Fact | undefined,
  at = "",
  found: Map<string, Difference> = new Map(),
): Map<string, Difference> {
  const values = {
    upstream: upstream?.value ?? "absent",
    ours: ours?.value ?? "absent",
  };
  if (values.upstream !== values.ours) found.set(at, values);
  if (upstream === undefined || ours === undefined) return found;
  const parts = new Set([...upstream.parts.keys(), ...ours.parts.keys()]);
  for (const part of parts) {
    differences(
      upstream.parts.get(part),
      ours.parts.get(part),
      at + part,
      found,
    );
  }
  return found;
}

/** The changes from one file of upstream to a later one, a line each. */
export function changes(old: Fact, now: Fact): string[] {
  return [...differences(old, now)]
    .map(([at, { upstream, ours }]) => `${at}: ${upstream} -> ${ours}`);
}

/** Differences that are not listed, and listed ones that are gone, a line each. */
export function unexpected(
  found: Map<string, Difference>,
  listed: Map<string, string>,
): string[] {
  const lines = [...found].flatMap(([at, { upstream, ours }]) => {
    const expected = listed.get(at);
    if (expected === `${upstream} -> ${ours}`) return [];
    const note = expected === undefined ? "" : `, listed as ${expected}`;
    return [`${at}: upstream ${upstream}, ours ${ours}${note}`];
  });
  const gone = [...listed.keys()].filter((at) => !found.has(at));
  return [...lines, ...gone.map((at) => `${at}: listed, but gone`)];
}
