/** `balloon`: the balloon device. */
import type { BalloonConfigInfo } from "../../generated/types.gen.ts";
import type { Rule } from "./rule.ts";

export const balloonSize: readonly Rule<BalloonConfigInfo>[] = [
  {
    field: "size",
    when: ({ size }, { ram }) => ram !== undefined && BigInt(size) >= ram,
    message: ({ size }, { ram }) =>
      `Balloon size (${size}) greater than RAM (${ram})`,
  },
];
