/** The identity of a VMM process, which no later one on the socket has. */
import { statSync } from "node:fs";
import type { Client } from "../client/create_client.ts";
import type { CallOptions } from "../generated_support/call_options.ts";

/**
 * A VMM makes its socket anew when it starts. The file and its time are known
 * wherever the socket can be used, other than the start of the process.
 */
export interface VmmIdentity {
  readonly pid: number;
  readonly socketPath: string;
  /** The number of the socket's file. */
  readonly inode?: number | undefined;
  /** The time of the socket's file, in milliseconds. */
  readonly boundAt?: number | undefined;
}

/** Asks the VMM for its pid, and looks at its socket. */
export async function identifyVmm(
  { vmm, socketPath }: Client,
  options: CallOptions | undefined,
): Promise<VmmIdentity> {
  const { pid } = await vmm.ping(options);
  // A client with a `fetch` of its own may have no socket.
  const file = statSync(socketPath, { throwIfNoEntry: false });
  const boundAt = file && Math.trunc(file.mtimeMs);
  return { pid, socketPath, inode: file?.ino, boundAt };
}

/** Tells whether both are the same process; the paths may differ. */
export function isSameVmm(a: VmmIdentity, b: VmmIdentity): boolean {
  return a.pid === b.pid && a.inode === b.inode && a.boundAt === b.boundAt;
}
