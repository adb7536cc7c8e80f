/** `net`: network devices. */
import type { NetConfigInfo } from "../../generated/types.gen.ts";
import { anyDevice } from "./pci.ts";
import { queueSize, tooManyQueues } from "./queues.ts";
import type { Rule } from "./rule.ts";
import {
  behindIommu,
  needsSharedMemory,
  needsSocket,
  noRateLimit,
} from "./vhost_user.ts";

const MIN_MTU = 1280;

export const net: readonly Rule<NetConfigInfo>[] = [
  ...needsSharedMemory,
  { ...needsSocket, since: "v53.0" },
  {
    ...needsSocket,
    message: "vhost_user without a socket stops the VMM",
    kind: "fatal",
    until: "v53.0",
  },
  noRateLimit,
  ...anyDevice,
  {
    field: "num_queues",
    when: ({ num_queues }) => BigInt(num_queues) < 2n,
    message: ({ num_queues }) =>
      `Number of queues (${num_queues}) to virtio_net should be higher than 2`,
  },
  {
    field: "fds",
    when: ({ fds, num_queues }) =>
      fds !== undefined && BigInt(fds.length * 2) !== BigInt(num_queues),
    message: ({ fds, num_queues }) =>
      `Number of queues (${num_queues}) to virtio_net does not match the ` +
      `number of FDs (${fds!.length * 2})`,
  },
  {
    field: "fds",
    when: ({ fds }) => (fds ?? []).some((fd) => fd <= 2),
    message: ({ fds }) =>
      `Reserved fd number (<= 2): ${fds!.find((fd) => fd <= 2)}`,
  },
  tooManyQueues(({ num_queues }) => BigInt(num_queues) / 2n),
  ...queueSize,
  behindIommu,
  {
    field: "mtu",
    when: ({ mtu }) => mtu !== undefined && mtu < MIN_MTU,
    message: ({ mtu }) =>
      `Provided MTU ${mtu} is lower than ${MIN_MTU} (expected by VIRTIO ` +
      "specification)",
  },
  {
    field: "offload_csum",
    when: ({ offload_csum, offload_tso, offload_ufo }) =>
      !offload_csum && (offload_tso || offload_ufo),
    message: '"offload_tso" and "offload_ufo" depend on "offload_csum"',
  },
  {
    field: "mask",
    when: ({ ip, mask }) => mask !== undefined && ip === undefined,
    message: "Mask provided without an IP",
    since: "v49.0",
  },
  {
    field: "ip",
    when: ({ ip, mask }) => ip !== undefined && mask === undefined,
    message: "IP provided without a mask",
    since: "v49.0",
  },
];
