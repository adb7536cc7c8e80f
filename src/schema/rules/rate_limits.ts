/** `rate_limit_groups`: the groups of disks that share a limiter. */
import type { RateLimitGroupConfigInfo } from "../../generated/types.gen.ts";
import type { Rule } from "./rule.ts";

export const INVALID_GROUP = "Invalid rate-limiter group";

export const rateLimitGroup: readonly Rule<RateLimitGroupConfigInfo>[] = [
  {
    field: "rate_limiter_config",
    when: ({ rate_limiter_config: { bandwidth, ops } }) =>
      bandwidth == null && ops == null,
    message: INVALID_GROUP,
    advice: 'give "bandwidth" or "ops"',
  },
  {
    field: "id",
    when: ({ id }) => id === "",
    message: INVALID_GROUP,
    advice: "the id must not be empty",
  },
];
