/** The VM of the source, before a migration and after one that may have failed. */
import { DeadlineError } from "../../errors/errors.ts";
import type { VmInfo, VmState } from "../../generated/types.gen.ts";
import { pollUntil } from "../../vmm/poll.ts";
import type { Vmm } from "../../vmm/vmm.ts";
import { type MigrationSideState, readSideState } from "./error.ts";

/** Tells whether the source has the VM; a paused one may be a copy. */
export async function hasVm(
  { client }: Vmm,
  before: VmState,
  isCopied: boolean,
): Promise<boolean> {
  const state = await readSideState(client);
  return state === before && (state === "Running" || !isCopied);
}

/** Resumes the VM that the migration has paused; resolves to its state. */
export async function resumeSource(
  { client }: Vmm,
  before: VmState,
): Promise<MigrationSideState> {
  const state = await readSideState(client);
  if (state !== "Paused" || before !== "Running") return state;
  await client.vm.resume().catch(() => {});
  return await readSideState(client);
}

/**
 * Asks for the info, and again while the VMM is ending. Resolves to `silent`
 * where a VMM with an event monitor does not answer: a release that answers at
 * the end is sending.
 */
export function readSourceInfo(
  { client, events, exited }: Vmm,
  signal: AbortSignal,
): Promise<VmInfo | "silent"> {
  return pollUntil<VmInfo | "silent">({ client, exited }, {
    goal: { subject: "VMM", unmet: "does not answer" },
    async probe(signal) {
      try {
        return await client.vm.info({ signal });
      } catch (error) {
        const isSilent = error instanceof DeadlineError && !signal.aborted;
        if (isSilent && events) return "silent";
        throw error;
      }
    },
  }, { signal });
}
