/** `landlock_rules`: the paths that the VMM may access. */
import type { LandlockConfig } from "../../generated/types.gen.ts";
import type { Rule } from "./rule.ts";

const ADVICE = 'use "r", "w" or "rw"';

export const landlock: readonly Rule<LandlockConfig>[] = [
  {
    field: "access",
    when: ({ access }) => access === "",
    message: invalid("Access cannot be empty"),
    advice: ADVICE,
  },
  {
    field: "access",
    when: ({ access }) => /[^rw]/.test(access),
    message: ({ access }) =>
      invalid(`Invalid access: ${/[^rw]/u.exec(access)![0]}`),
    advice: ADVICE,
  },
];

function invalid(problem: string): string {
  return `Invalid landlock access: Invalid Landlock access: ${problem}`;
}
