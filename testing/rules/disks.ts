/** Disks, and the groups that share a rate limit. */
import type {
  DiskConfigInfo,
  RateLimitGroupConfigInfo,
} from "../../src/generated/types.gen.ts";
import { anyDevice } from "./pci.ts";
import { queueSize, tooManyQueues } from "./queues.ts";
import type { Rule } from "./rule.ts";
import { needsSharedMemory, needsSocket, noRateLimit } from "./vhost.ts";

const BAD_GROUP = () => "Invalid rate-limiter group";

export const rateLimitGroup: readonly Rule<RateLimitGroupConfigInfo>[] = [
  [
    ({ rate_limiter_config: { bandwidth, ops } }) =>
      bandwidth === null && ops === null,
    BAD_GROUP,
  ],
  [({ id }) => id === "", BAD_GROUP],
];

const MIN_QUEUE_SIZE = 2;
const MAX_SERIAL = 20;

export const disk: readonly Rule<DiskConfigInfo>[] = [
  [
    ({ path, vhost_socket }) =>
      path !== undefined && vhost_socket !== undefined,
    () => "Disk path and vhost socket both provided",
  ],
  needsSharedMemory,
  needsSocket,
  noRateLimit,
  [
    ({ rate_limit_group: group }, { config }) =>
      group !== undefined &&
      !(config.rate_limit_groups ?? []).some(({ id }) => id === group),
    BAD_GROUP,
  ],
  ...anyDevice,
  tooManyQueues(({ num_queues }) => BigInt(num_queues)),
  queueSize,
  [
    ({ queue_size }) => queue_size <= MIN_QUEUE_SIZE,
    ({ queue_size }) =>
      `Block queue size must be greater than ${MIN_QUEUE_SIZE}: ${queue_size}`,
  ],
  [
    ({ vhost_user, iommu }) => vhost_user && iommu === true,
    () => "Device does not support being placed behind IOMMU",
  ],
  [
    ({ rate_limiter_config: own, rate_limit_group: group }) =>
      own !== undefined && group !== undefined,
    BAD_GROUP,
  ],
  [
    ({ serial }) => lengthOf(serial) > MAX_SERIAL,
    ({ serial }) =>
      `Block device serial length (${lengthOf(serial)}) exceeds maximum ` +
      `allowed length (${MAX_SERIAL})`,
  ],
];

function lengthOf(text = ""): number {
  return new TextEncoder().encode(text).length;
}
