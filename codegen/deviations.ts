/** spec/deviations.yaml: upstream's file as last reviewed, and what we mean to have otherwise. */
import { parse } from "yaml";

export interface Upstream {
  /** Owner and name, on GitHub. */
  repository: string;
  path: string;
  /** The commit, tag or branch that was reviewed last. */
  ref: string;
  /** Of the file at that ref. */
  sha256: string;
}

export interface Deviations {
  upstream: Upstream;
  /** `upstream's value -> ours`, by the place of the fact. */
  listed: Map<string, string>;
}

/** @throws {Error} where a group gives no reason or evidence, or a line is no difference. */
export function readDeviations(text: string): Deviations {
  const { upstream, deviations } = parse(text) as {
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
