/** The release or the feature of a build that an operation needs. */
import { type OperationName, operations } from "../generated/api.gen.ts";

/** A clause for messages; `undefined` if every VMM has the operation. */
export function needsOf(name: OperationName): string | undefined {
  const { since, feature } = operations[name];
  const needs = [
    ...since === undefined ? [] : [`${since} or later`],
    ...feature === undefined ? [] : [`a build with the feature ${feature}`],
  ];
  return needs.length === 0
    ? undefined
    : `${name} needs ${needs.join(" and ")}`;
}
