/** `disks`: block devices. */
import type { DiskConfigInfo } from "../../generated/types.gen.ts";
import { anyDevice } from "./pci.ts";
import { queueSize, tooManyQueues } from "./queues.ts";
import { INVALID_GROUP } from "./rate_limits.ts";
import type { Rule } from "./rule.ts";
import {
  behindIommu,
  needsSharedMemory,
  needsSocket,
  noRateLimit,
} from "./vhost_user.ts";

const MIN_QUEUE_SIZE = 2;
const MAX_SERIAL = 20;

export const disk: readonly Rule<DiskConfigInfo>[] = [
  {
    field: "vhost_socket",
    when: ({ path, vhost_socket }) =>
      path !== undefined && vhost_socket !== undefined,
    message: "Disk path and vhost socket both provided",
  },
  ...needsSharedMemory,
  needsSocket,
  noRateLimit,
  {
    field: "rate_limit_group",
    when: ({ rate_limit_group: group }, context) =>
      group !== undefined && !context.hasRateLimitGroup(group),
    message: INVALID_GROUP,
    advice: 'name an id of "rate_limit_groups"',
  },
  ...anyDevice,
  tooManyQueues(({ num_queues }) => BigInt(num_queues)),
  ...queueSize,
  {
    field: "queue_size",
    when: ({ queue_size }) => queue_size <= MIN_QUEUE_SIZE,
    message: ({ queue_size }) =>
      `Block queue size must be greater than ${MIN_QUEUE_SIZE}: ${queue_size}`,
  },
  behindIommu,
  {
    field: "rate_limit_group",
    when: ({ rate_limiter_config: own, rate_limit_group: group }) =>
      own !== undefined && group !== undefined,
    message: INVALID_GROUP,
    advice: 'give "rate_limiter_config" or "rate_limit_group", not both',
  },
  {
    field: "serial",
    when: ({ serial }) => byteLength(serial) > MAX_SERIAL,
    message: ({ serial }) =>
      `Block device serial length (${byteLength(serial)}) exceeds maximum ` +
      `allowed length (${MAX_SERIAL})`,
  },
];

function byteLength(text = ""): number {
  return new TextEncoder().encode(text).length;
}
