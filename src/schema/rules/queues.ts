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

/** Every size must be a power of 2. */
export const queueSize: readonly Rule<{ queue_size: number }>[] = queueSizes(
  "queue_size",
  ({ queue_size }) => [queue_size],
);

/** The rules about the sizes of queues. Before v53.0, the VMM ends. */
export function queueSizes<Item>(
  field: string,
  sizesOf: (item: Item) => readonly number[],
): readonly Rule<Item>[] {
  const wrong = (item: Item) =>
    sizesOf(item).find((size) => !isPowerOfTwo(size));
  const when = (item: Item) => wrong(item) !== undefined;
  return [
    {
      field,
      when,
      message: (item) =>
        `Queue size must be a power of 2 no greater than 32768: ${wrong(item)}`,
      since: "v53.0",
    },
    {
      field,
      when,
      message: (item) =>
        `a queue size that is no power of 2 stops the VMM: ${wrong(item)}`,
      kind: "fatal",
      until: "v53.0",
    },
  ];
}
