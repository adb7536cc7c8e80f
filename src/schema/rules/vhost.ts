/** Devices whose back end is another process. */
import type {
  FsConfigInfo,
  GenericVhostUserConfigInfo,
} from "../../generated/types.gen.ts";
import type { Device } from "../config.ts";
import { anyDevice, noIommu } from "./pci.ts";
import { badQueueSize, queueSize, tooManyQueues } from "./queues.ts";
import type { RuleContext } from "./context.ts";
import { isPowerOfTwo, type Rule, type Violation, violation } from "./rule.ts";

interface VhostUser {
  vhost_user: boolean;
  vhost_socket?: string;
  rate_limiter_config?: unknown;
  rate_limit_group?: string;
}

export const NO_SHARED_MEMORY =
  "Using vhost-user requires using shared memory or huge pages";

const NO_ZONES = "no memory zones to look at";

export const needsSharedMemory: readonly Rule<VhostUser>[] = [
  [
    ({ vhost_user }, { missesZones }) => vhost_user && missesZones,
    () => NO_ZONES,
    "vhost_user",
    "panic",
  ],
  [
    ({ vhost_user }, { sharedMemory }) => vhost_user && !sharedMemory,
    () => NO_SHARED_MEMORY,
    "vhost_user",
  ],
];

/** Where the VMM looks for memory zones, and gives up without any. */
export function* missingZones(
  { missesZones }: RuleContext,
): Generator<Violation> {
  if (missesZones) yield violation("memory.size", NO_ZONES, "panic");
}

export const needsSocket: Rule<VhostUser> = [
  ({ vhost_user, vhost_socket }) => vhost_user && vhost_socket === undefined,
  () => "No socket provided when using vhost-user",
  "vhost_socket",
];

export const noRateLimit: Rule<VhostUser> = [
  ({ vhost_user, rate_limiter_config: own, rate_limit_group: group }) =>
    vhost_user && (own !== undefined || group !== undefined),
  () => "Rate limiting is not supported with vhost-user",
  "vhost_user",
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
    "queue_sizes",
  ],
  ...anyDevice,
];

export const userDevice: readonly Rule<Device>[] = [noIommu, ...anyDevice];
