/** Resizes a VM, and waits for its guest. */
import type { Client } from "../client/create_client.ts";
import type { VmInfo, VmResize } from "../generated/types.gen.ts";
import { type Vmm, vmmOf, type WaitOptions } from "../vmm/vmm.ts";
import { pollUntil } from "../vmm/poll.ts";

/**
 * Resizes a VM, and resolves to its info when the guest has followed: it has
 * released vCPUs that were removed, has accepted memory of virtio-mem, and has
 * given the balloon its pages. While the guest still uses vCPUs that an earlier
 * call removed, the VMM refuses another number as `busy`; this waits for them,
 * too.
 *
 * The VMM cannot tell whether a guest uses vCPUs or memory that were added by
 * ACPI: those count as present at once. Memory of ACPI is never taken away from
 * a running guest.
 *
 * @throws {ApiError} if the VMM refuses a step, such as the size.
 * @throws {DeadlineError} after `timeoutMs`, with what the guest did not do; it
 * may follow later.
 * @throws {VmmExitedError} when the VMM ended.
 */
export async function resizeAndWait(
  vmm: Client | Vmm,
  size: VmResize,
  options: WaitOptions = {},
): Promise<VmInfo> {
  const target = vmmOf(vmm, options.events);
  const { vm } = target.client;
  const { desired_vcpus } = size;
  let before: VmInfo | undefined;
  let isSent = false;
  let missing: string | undefined;
  return await pollUntil(target, {
    goal: {
      subject: "VM",
      unmet: "is not resized",
      advice: () => missing,
      operation: "vm.resize",
    },
    async probe(signal) {
      before ??= await vm.info({ signal });
      if (desired_vcpus != null) missing = HELD_VCPUS;
      if (!isSent) {
        await vm.resize(size, { signal });
        isSent = true;
      }
      // vm.info gives the new number at once. The same request again does
      // nothing, and is refused until the guest has released the vCPUs.
      if (desired_vcpus != null) await vm.resize({ desired_vcpus }, { signal });
      const info = await vm.info({ signal });
      missing = missingMemory(before, info, size);
      return missing === undefined ? info : undefined;
    },
  }, options);
}

const HELD_VCPUS = "the guest still uses vCPUs that were removed";

/**
 * The memory that the guest has not accepted or released yet, as a sentence.
 */
function missingMemory(
  before: VmInfo,
  { config, memory_actual_size, state }: VmInfo,
  { desired_ram, desired_balloon }: VmResize,
): string | undefined {
  if (state === "Created") return undefined;
  if (desired_ram == null && desired_balloon == null) return undefined;
  const balloon = desired_balloon == null
    ? ramOf(before) - BigInt(before.memory_actual_size)
    : BigInt(desired_balloon);
  const expected = ramOf({ config }) - balloon;
  const actual = BigInt(memory_actual_size);
  if (actual === expected) return undefined;
  const sizes = `the guest has ${actual} of ${expected} bytes`;
  if (desired_balloon != null) {
    return `${sizes}; is a driver for the balloon loaded?`;
  }
  return `${sizes}; is a driver for virtio-mem loaded?`;
}

/** The memory that the VM is to have, without the balloon. */
function ramOf({ config: { memory } }: Pick<VmInfo, "config">): bigint {
  const parts = [memory, ...memory.zones ?? []];
  return parts.reduce(
    (sum, { size, hotplugged_size }) =>
      sum + BigInt(size) + BigInt(hotplugged_size ?? 0),
    0n,
  );
}
