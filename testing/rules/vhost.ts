/** Devices whose back end is another process. */
import type {
  FsConfigInfo,
  GenericVhostUserConfigInfo,
} from "../../src/generated/types.gen.ts";
import type { Device } from "../config.ts";
import { anyDevice, noIommu } from "./pci.ts";
import { badQueueSize, queueSize, tooManyQueues } from "./queues.ts";
import { isPowerOfTwo, type Rule } from "./rule.ts";

interface VhostUser {
  vhost_user: boolean;
  vhost_socket?: string;
  rate_limiter_config?: unknown;
  rate_limit_group?: string;
}

export const NO_SHARED_MEMORY =
  "Using vhost-user requires using shared memory or huge pages";

export const needsSharedMemory: Rule<VhostUser> = [
  ({ vhost_user }, check) => vhost_user && !check.sharedMemory,
  () => NO_SHARED_MEMORY,
];

export const needsSocket: Rule<VhostUser> = [
  ({ vhost_user, vhost_socket }) => vhost_user && vhost_socket === undefined,
  () => "No socket provided when using vhost-user",
];

export const noRateLimit: Rule<VhostUser> = [
  ({ vhost_user, rate_limiter_config: own, rate_limit_group: group }) =>
    vhost_user && (own !== undefined || group !== undefined),
  () => "Rate limiting is not supported with vhost-user",
];

export const fs: readonly Rule<FsConfigInfo>[] = [
  tooManyQueues(({ num_queues }) => BigInt(num_queues)),
  queueSize,
  noIommu,
  ...anyDevice,
];

export const genericVhostUser: readonly Rule<GenericVhostUserConfigInfo>[] = [
  noIommu,
  [
    ({ queue_sizes }) => !queue_sizes.every(isPowerOfTwo),
    ({ queue_sizes }) =>
      badQueueSize(queue_sizes.find((size) => !isPowerOfTwo(size))!),
  ],
  ...anyDevice,
];

export const userDevice: readonly Rule<Device>[] = [noIommu, ...anyDevice];
