/** Virtqueues: their number and their size. */
import { isPowerOfTwo, type Rule } from "./rule.ts";

/** The device needs a vCPU for each queue, or for each pair of queues. */
export function tooManyQueues<Item extends { num_queues: number | bigint }>(
  count: (item: Item) => bigint,
): Rule<Item> {
  return {
    field: "num_queues",
    when: (item, { bootVcpus }) => count(item) > bootVcpus,
    message: ({ num_queues }, { bootVcpus }) =>
      `Queue count (${num_queues}) must not exceed boot vCPUs (${bootVcpus})`,
  };
}

export const queueSize: Rule<{ queue_size: number }> = {
  field: "queue_size",
  when: ({ queue_size }) => !isPowerOfTwo(queue_size),
  message: ({ queue_size }) => invalidQueueSize(queue_size),
};

export function invalidQueueSize(size: number): string {
  return `Queue size must be a power of 2 no greater than 32768: ${size}`;
}
