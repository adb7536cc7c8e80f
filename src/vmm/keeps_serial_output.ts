/** Asks if the VMM keeps output of a serial port that nobody has read. */
import { hasSince } from "../generated_support/release.ts";
import type { Vmm } from "./vmm.ts";

/**
 * Returns false if the VMM keeps no output of a serial port in mode `Socket`:
 * up to v52.0 the guest waits until the client has read. Returns true if the VMM
 * does not answer.
 */
export async function keepsSerialOutput(
  { client }: Vmm,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return hasSince(await client.release({ signal }), "v53.0");
  } catch {
    return true;
  }
}
