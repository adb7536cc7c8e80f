/** Restores that read the memory of a snapshot on demand, where they can. */
import type { Client } from "../../client/create_client.ts";
import { ApiError } from "../../errors/errors.ts";
import type { CallOptions } from "../../generated_support/call_options.ts";

/**
 * The reason why a VMM cannot fill memory on demand, from its refusal of a
 * restore; undefined for other errors.
 */
export function onDemandRefusal(error: unknown): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  const at = error.messages.indexOf("On-demand restore failed");
  return at < 0 ? undefined : error.messages.slice(at + 1).join(": ");
}

/**
 * The reason why a release copies the memory without a word: it ignores a key
 * that it does not know.
 */
export async function onDemandMissing(
  { vmm }: Client,
  options: CallOptions | undefined,
): Promise<string | undefined> {
  const { version } = await vmm.ping(options);
  return Number.parseInt(version) < FIRST_RELEASE
    ? `v${version} does not know memory_restore_mode`
    : undefined;
}

const FIRST_RELEASE = 52;
