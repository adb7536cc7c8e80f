/** The VM of a VMM, which may have none. */
import type { Client } from "../client/create_client.ts";
import { ApiError } from "../errors/errors.ts";
import type { CallOptions } from "../generated_support/call_options.ts";
import type { VmInfo } from "../generated/types.gen.ts";

/** The VM's info, or undefined where the VMM has no VM. */
export async function infoOf(
  vm: Client["vm"],
  options?: CallOptions,
): Promise<VmInfo | undefined> {
  try {
    return await vm.info(options);
  } catch (error) {
    if (isNotCreated(error)) return undefined;
    throw error;
  }
}

/** Tells whether the VMM refused a call because it has no VM. */
export function isNotCreated(error: unknown): boolean {
  return error instanceof ApiError && error.code === "not_created";
}

/** Tells whether the VMM refused a call because it has a VM already. */
export function isAlreadyExists(error: unknown): boolean {
  return error instanceof ApiError && error.code === "already_exists";
}
