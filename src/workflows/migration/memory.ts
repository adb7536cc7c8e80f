/** Refuses the migration of shared memory. */
import { InvalidRequestError } from "../../errors/errors.ts";
import type { VmConfig } from "../../generated/types.gen.ts";

/**
 * A migration of shared memory needs a system call that the filter lacks.
 *
 * @throws {InvalidRequestError} `fatal_request` when the VM has shared memory.
 */
export function assertPrivateMemory(
  { memory }: VmConfig,
  socketPath: string,
): void {
  const { zones = [] } = memory ?? {};
  const field = memory?.shared
    ? "memory.shared"
    : zones?.some(({ shared }) => shared)
    ? "memory.zones"
    : undefined;
  if (field === undefined) return;
  throw new InvalidRequestError(
    "fatal_request",
    field,
    "a migration of shared memory kills the source and the destination of builds whose seccomp filter lacks newfstatat; allowFatal lets it through",
    { operation: "vm.send-migration", socketPath },
  );
}
