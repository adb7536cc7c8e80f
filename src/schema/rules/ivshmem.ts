/** `ivshmem`: memory that VMs share. */
import type { IvshmemConfig } from "../../generated/types.gen.ts";
import { isPowerOfTwo, type Rule } from "./rule.ts";

export const ivshmem: readonly Rule<IvshmemConfig>[] = [
  {
    field: "size",
    when: ({ size }) => !isPowerOfTwo(size),
    message: ({ size }) => `Invalid ivshmem input size: ${size}`,
    advice: "use a power of 2",
  },
];
