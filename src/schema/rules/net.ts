/** Network devices. */
import type { NetConfigInfo } from "../../generated/types.gen.ts";
import { anyDevice } from "./pci.ts";
import { queueSize, tooManyQueues } from "./queues.ts";
import type { Rule } from "./rule.ts";
import { needsSharedMemory, needsSocket, noRateLimit } from "./vhost.ts";

export const net: readonly Rule<NetConfigInfo>[] = [
  ...needsSharedMemory,
  needsSocket,
  noRateLimit,
  ...anyDevice,
  [
    ({ num_queues }) => BigInt(num_queues) < 2n,
    ({ num_queues }) =>
      `Number of queues (${num_queues}) to virtio_net should be higher than 2`,
    "num_queues",
  ],
  [
    ({ fds, num_queues }) =>
      fds !== undefined && BigInt(fds.length * 2) !== BigInt(num_queues),
    ({ fds, num_queues }) =>
      `Number of queues (${num_queues}) to virtio_net does not match the ` +
      `number of FDs (${fds!.length * 2})`,
    "fds",
  ],
  [
    ({ fds }) => (fds ?? []).some((fd) => fd <= 2),
    ({ fds }) => `Reserved fd number (<= 2): ${fds!.find((fd) => fd <= 2)}`,
    "fds",
  ],
  tooManyQueues(({ num_queues }) => BigInt(num_queues) / 2n),
  queueSize,
  [
    ({ vhost_user, iommu }) => vhost_user && iommu === true,
    () => "Device does not support being placed behind IOMMU",
    "iommu",
  ],
  [
    ({ mtu }) => mtu !== undefined && mtu < 1280,
    ({ mtu }) =>
      `Provided MTU ${mtu} is lower than 1280 (expected by VIRTIO ` +
      "specification)",
    "mtu",
  ],
  [
    ({ offload_csum, offload_tso, offload_ufo }) =>
      !offload_csum && (offload_tso || offload_ufo),
    () => '"offload_tso" and "offload_ufo" depend on "offload_csum"',
    "offload_csum",
  ],
  [
    ({ ip, mask }) => mask !== undefined && ip === undefined,
    () => "Mask provided without an IP",
    "mask",
  ],
  [
    ({ ip, mask }) => ip !== undefined && mask === undefined,
    () => "IP provided without a mask",
    "ip",
  ],
];
