/** `vsock`: the vsock device. */
import type { VsockConfigInfo } from "../../generated/types.gen.ts";
import type { Rule } from "./rule.ts";

/** The hypervisor, the local machine, the host, and any machine. */
const SPECIAL_CIDS: readonly number[] = [0, 1, 2, 0xffff_ffff];

export const cid: readonly Rule<VsockConfigInfo>[] = [
  {
    field: "cid",
    when: ({ cid }) => SPECIAL_CIDS.includes(cid),
    message: ({ cid }) => `${cid} is a special VSOCK CID`,
    advice: "use 3 to 4294967294",
  },
];
