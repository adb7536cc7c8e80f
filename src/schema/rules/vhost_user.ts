/** Devices that another process drives over a vhost-user socket. */
import type {
  FsConfigInfo,
  GenericVhostUserConfigInfo,
} from "../../generated/types.gen.ts";
import type { Device } from "../config.ts";
import { anyDevice, noIommu } from "./pci.ts";
import { queueSize, queueSizes, tooManyQueues } from "./queues.ts";
import type { RuleContext } from "./context.ts";
import { type Rule, type Violation, violation } from "./rule.ts";

/** The fields of a disk or a network device that may use vhost-user. */
interface VhostUser {
  vhost_user: boolean;
  vhost_socket?: string;
  iommu?: boolean;
  rate_limiter_config?: unknown;
  rate_limit_group?: string;
}

export const NO_SHARED_MEMORY =
  "Using vhost-user requires using shared memory or huge pages";
export const SHARED_ADVICE = 'set "memory.shared" to true';

const NO_ZONES = "memory.size 0 without zones stops the VMM";

export const needsSharedMemory: readonly Rule<VhostUser>[] = [
  {
    field: "vhost_user",
    when: ({ vhost_user }, { lacksZones }) => vhost_user && lacksZones,
    message: NO_ZONES,
    kind: "fatal",
  },
  {
    field: "vhost_user",
    when: ({ vhost_user }, { hasSharedMemory }) =>
      vhost_user && !hasSharedMemory,
    message: NO_SHARED_MEMORY,
    advice: SHARED_ADVICE,
  },
];

/** A list of devices that need shared memory. */
export function* sharedMemoryViolations(
  items: readonly unknown[] | undefined,
  path: string,
  { lacksZones, hasSharedMemory }: RuleContext,
  message: string = NO_SHARED_MEMORY,
): Generator<Violation> {
  if (items === undefined || items.length === 0) return;
  if (lacksZones) yield violation("memory.size", NO_ZONES, { kind: "fatal" });
  if (hasSharedMemory) return;
  yield violation(path, message, { advice: SHARED_ADVICE });
}

export const needsSocket: Rule<VhostUser> = {
  field: "vhost_socket",
  when: ({ vhost_user, vhost_socket }) =>
    vhost_user && vhost_socket === undefined,
  message: "No socket provided when using vhost-user",
};

export const noRateLimit: Rule<VhostUser> = {
  field: "vhost_user",
  when: ({ vhost_user, rate_limiter_config: own, rate_limit_group: group }) =>
    vhost_user && (own !== undefined || group !== undefined),
  message: "Rate limiting is not supported with vhost-user",
  since: "v52.0",
};

export const behindIommu: Rule<VhostUser> = {
  field: "iommu",
  when: ({ vhost_user, iommu }) => vhost_user && iommu === true,
  message: "Device does not support being placed behind IOMMU",
};

export const fs: readonly Rule<FsConfigInfo>[] = [
  tooManyQueues(({ num_queues }) => BigInt(num_queues)),
  ...queueSize,
  noIommu,
  ...anyDevice,
];

export const genericVhostUser: readonly Rule<GenericVhostUserConfigInfo>[] = [
  noIommu,
  ...queueSizes<GenericVhostUserConfigInfo>(
    "queue_sizes",
    ({ queue_sizes }) => queue_sizes,
  ),
  ...anyDevice,
];

export const userDevice: readonly Rule<Device>[] = [noIommu, ...anyDevice];
