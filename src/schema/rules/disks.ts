/** Disks, and the groups that share a rate limit. */
import type {
  DiskConfigInfo,
  RateLimitGroupConfigInfo,
} from "../../generated/types.gen.ts";
import { anyDevice } from "./pci.ts";
import { queueSize, tooManyQueues } from "./queues.ts";
import type { Rule } from "./rule.ts";
import { needsSharedMemory, needsSocket, noRateLimit } from "./vhost.ts";

const BAD_GROUP = () => "Invalid rate-limiter group";

export const rateLimitGroup: readonly Rule<RateLimitGroupConfigInfo>[] = [
  [
    ({ rate_limiter_config: { bandwidth, ops } }) =>
      bandwidth == null && ops == null,
    BAD_GROUP,
    "rate_limiter_config",
  ],
  [({ id }) => id === "", BAD_GROUP, "id"],
];

const MIN_QUEUE_SIZE = 2;
const MAX_SERIAL = 20;

export const disk: readonly Rule<DiskConfigInfo>[] = [
  [
    ({ path, vhost_socket }) =>
      path !== undefined && vhost_socket !== undefined,
    () => "Disk path and vhost socket both provided",
    "vhost_socket",
  ],
  ...needsSharedMemory,
  needsSocket,
  noRateLimit,
  [
    ({ rate_limit_group: group }, around) =>
      group !== undefined && !around.hasGroup(group),
    BAD_GROUP,
    "rate_limit_group",
  ],
  ...anyDevice,
  tooManyQueues(({ num_queues }) => BigInt(num_queues)),
  queueSize,
  [
    ({ queue_size }) => queue_size <= MIN_QUEUE_SIZE,
    ({ queue_size }) =>
      `Block queue size must be greater than ${MIN_QUEUE_SIZE}: ${queue_size}`,
    "queue_size",
  ],
  [
    ({ vhost_user, iommu }) => vhost_user && iommu === true,
    () => "Device does not support being placed behind IOMMU",
    "iommu",
  ],
  [
    ({ rate_limiter_config: own, rate_limit_group: group }) =>
      own !== undefined && group !== undefined,
    BAD_GROUP,
    "rate_limit_group",
  ],
  [
    ({ serial }) => lengthOf(serial) > MAX_SERIAL,
    ({ serial }) =>
      `Block device serial length (${lengthOf(serial)}) exceeds maximum ` +
      `allowed length (${MAX_SERIAL})`,
    "serial",
  ],
];

function lengthOf(text = ""): number {
  return new TextEncoder().encode(text).length;
}
