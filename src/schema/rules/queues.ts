/** Virtqueues: how many, and how large. */
import { isPowerOfTwo, type Rule } from "./rule.ts";

/** No more queues than vCPUs; as counted, so message and rule agree. */
export function tooManyQueues<Item extends { num_queues: number | bigint }>(
  count: (item: Item) => bigint,
): Rule<Item> {
  return [
    (item, { bootVcpus }) => count(item) > bootVcpus,
    ({ num_queues }, { bootVcpus }) =>
      `Queue count (${num_queues}) must not exceed boot vCPUs (${bootVcpus})`,
    "num_queues",
  ];
}

export const queueSize: Rule<{ queue_size: number }> = [
  ({ queue_size }) => !isPowerOfTwo(queue_size),
  ({ queue_size }) => badQueueSize(queue_size),
  "queue_size",
];

export function badQueueSize(size: number): string {
  return `Queue size must be a power of 2 no greater than 32768: ${size}`;
}
