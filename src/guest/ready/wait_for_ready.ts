/** Waits until systemd in the guest reports that it has started. */
import { InvalidRequestError } from "../../errors/errors.ts";
import type { VsockConnection } from "../vsock/connection.ts";
import { excerptOf } from "../console/visible.ts";
import { createGuestScope } from "../guest_scope.ts";
import { listenVsock } from "../vsock/listen.ts";
import type { VsockTarget } from "../vsock/target.ts";

/** Options of {@linkcode waitForReady}. */
export interface WaitForReadyOptions {
  /**
   * The port of the host that the guest reports to.
   *
   * Default: `8888`.
   */
  readonly port?: number | undefined;
  /**
   * Boots the VM, such as `() => vmm.client.vm.boot()`. It is called when the
   * port listens, so no report can come too early. For a guest that runs
   * already and reports later: `() => Promise.resolve()`.
   */
  readonly boot: () => Promise<unknown>;
  /** When this signal aborts, the wait rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until a `DeadlineError`. Default: `Infinity`. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Waits for `READY=1` of systemd, which reports when it has started all that
 * its default target wants. The guest needs the credential that
 * `guestCredentials({ readyPort })` makes. Any other program in the guest can
 * report too: it connects to the port of the host (CID 2), writes `READY=1\n`
 * or `READY\n`, and closes.
 *
 * Call `waitForReady` after `vm.create`, and let the option `boot` boot the VM:
 * a guest reports only once, so the port has to listen before the boot.
 *
 * @param target The VMM, or the path of `vsock.socket`.
 * @throws {DeadlineError} after `timeoutMs`; the message shows the last status.
 * @throws {VmmExitedError} The VMM of the handle has ended.
 * @throws {InvalidRequestError} `boot`: it is not a function.
 * @throws The error of `boot`.
 * @throws {ApiError} `not_created`: create the VM first, or give the path.
 * @throws {GuestError} for the same reasons as `listenVsock`.
 *
 * @example
 * ```ts
 * import { spawnVmm } from "@chv/cloud-hypervisor/process";
 * import { guestCredentials, waitForReady } from "@chv/cloud-hypervisor/guest";
 *
 * // Node 22 cannot parse "await using": use try and finally there.
 * await using vmm = await spawnVmm();
 * await vmm.client.vm.create({
 *   payload: { kernel: "/boot/vmlinux" },
 *   vsock: { cid: 3, socket: `${vmm.directory}/vsock` },
 *   platform: { oem_strings: guestCredentials({ readyPort: 8888 }) },
 * });
 * await waitForReady(vmm, {
 *   boot: () => vmm.client.vm.boot(),
 *   timeoutMs: 60_000,
 * });
 * ```
 */
export async function waitForReady(
  target: VsockTarget,
  { port = 8888, boot, signal, timeoutMs }: WaitForReadyOptions,
): Promise<void> {
  if (typeof boot !== "function") throw noBoot();
  let status: string | undefined;
  const scope = createGuestScope({ signal, timeoutMs }, {
    unmet: `the guest did not report on port ${port} that it is ready`,
    lastSeen: () => status && excerptOf(status),
  });
  const reading = new Set<VsockConnection>();
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  try {
    const listener = await listenVsock(target, port, { signal: scope.signal });
    try {
      const accepting = (async (): Promise<never> => {
        for (;;) {
          const connection = await listener.accept();
          if (reading.size >= MAX_CONNECTIONS) {
            connection.close();
            continue;
          }
          reading.add(connection);
          // systemd opens a connection for each of its messages.
          void readMessage(connection).then((message) => {
            reading.delete(connection);
            status = /^STATUS=(.*)$/m.exec(message)?.[1] ?? status;
            if (/^READY(=1)?\r?$/m.test(message)) resolve();
          });
        }
      })();
      const booting = boot().then(() => ready);
      await scope.race(Promise.race([ready, accepting, booting]));
    } finally {
      listener.close();
    }
  } finally {
    for (const connection of reading) connection.close();
    scope.close();
  }
}

function noBoot(): InvalidRequestError {
  return new InvalidRequestError(
    "invalid_request",
    "boot",
    "boot has to be a function that boots the VM; it is called when the port listens, so that the guest does not report too early",
  );
}

/** Reads the bytes of one connection, up to its end or to a limit. */
async function readMessage(connection: VsockConnection): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    const reader = connection.readable.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || text.length > MAX_MESSAGE) return text;
      text += decoder.decode(value, { stream: true });
      // A guest that does not close has reported too.
      if (/^READY(=1)?\r?\n/m.test(text)) return text;
    }
  } catch {
    return text;
  } finally {
    // A sender waits for the end of file.
    connection.close();
  }
}

const MAX_CONNECTIONS = 64;
const MAX_MESSAGE = 1 << 12;
