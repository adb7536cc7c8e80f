/** The socket of a VM's vsock device. */
import {
  ApiError,
  ConnectionError,
  InvalidRequestError,
  VmmExitedError,
} from "../../errors/errors.ts";
import type { VmInfo } from "../../generated/types.gen.ts";
import type { Vmm } from "../../vmm/vmm.ts";
import { checkSocketPath } from "../unix_socket.ts";

/** A VMM, or the path of `vsock.socket` of its VM. */
export type VsockTarget = Vmm | string;

/**
 * The path of the socket.
 *
 * @throws {ApiError} `not_created`: the VMM has no VM.
 * @throws {InvalidRequestError} `vsock`: the VM has no vsock device.
 * @throws {VmmExitedError} The VMM is gone.
 */
export async function vsockPathOf(
  target: VsockTarget,
  signal: AbortSignal,
  suffix?: string,
): Promise<string> {
  if (typeof target === "string") {
    return checkSocketPath(target, "path", suffix);
  }
  const { vsock } = (await vmInfoOf(target, signal)).config;
  if (vsock) return checkSocketPath(vsock.socket, "vsock.socket", suffix);
  throw new InvalidRequestError(
    "invalid_request",
    "vsock",
    "the VM has no vsock device; give vm.create a vsock: { cid, socket }",
  );
}

/** The VM's state; a VMM that cannot be reached counts as gone. */
export async function vmInfoOf(
  { client, exited }: Vmm,
  signal: AbortSignal,
): Promise<VmInfo> {
  try {
    return await client.vm.info({ signal });
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    const { code, socketPath } = error;
    if (code !== "refused" && code !== "socket_missing") throw error;
    // The exit of a process of the script's own says more.
    const exit = await exited ?? { exitCode: null, signal: null, stderr: "" };
    throw new VmmExitedError(exit, { socketPath, cause: error });
  }
}

/** When the process of the target's VMM has ended, where that is known. */
export function exitedOf(target: VsockTarget): Vmm["exited"] {
  return typeof target === "string" ? undefined : target.exited;
}

/** True if the VMM may have a VM, or may answer, at a later time. */
export function isNotYet(error: unknown): boolean {
  if (error instanceof ConnectionError) return error.code === "closed";
  return error instanceof ApiError && NOT_YET.has(error.code);
}

const NOT_YET: ReadonlySet<string> = new Set([
  "not_created",
  "busy",
  "migrating",
  "overloaded",
  "vmm_gone",
]);

/** @throws {InvalidRequestError} `port`: no number of a vsock port. */
export function checkPort(port: number, field = "port"): void {
  if (Number.isInteger(port) && port >= 0 && port < 0xffff_ffff) return;
  throw new InvalidRequestError(
    "invalid_request",
    field,
    `${port} is not a vsock port, which is an integer from 0 to 4294967294`,
  );
}
