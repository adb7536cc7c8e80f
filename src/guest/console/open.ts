/** Opens a console of the guest. */
import { createGuestScope } from "../guest_scope.ts";
import { explained } from "../path_problem.ts";
import {
  type ConsoleOptions,
  createConsole,
  type GuestConsole,
  type OpeningConsole,
} from "./console.ts";
import type { ConsoleTarget } from "./target.ts";

/** Options of {@linkcode openConsole}. */
export interface OpenConsoleOptions extends ConsoleOptions {
  /**
   * Milliseconds until the first connection.
   *
   * Default: `30_000`.
   */
  readonly timeoutMs?: number | undefined;
}

/**
 * Opens a console of the guest: a serial port in mode `Socket`, or a serial
 * port or console in mode `Pty`. Open it between `vm.create` and `vm.boot`, and
 * nothing of the boot is missed: since v53.0 the VMM keeps up to a MiB of
 * output for its first client.
 *
 * Open a `Pty` after `vm.create` or after `vm.boot`, not after `vm.shutdown`:
 * then `vm.info` still names the pseudoterminal of the last boot, and another
 * program may have that number by now. A console of `{ pty }` ends with that
 * boot.
 *
 * The console lives until the VMM ends, over reboots. If you give a path, the
 * console does not see the end of the VMM. It ends when nothing has listened on
 * the path for two seconds. A serial port has one client: the next one takes it
 * over, and the console ends with `in_use`.
 *
 * Close the console before the script ends, unless the VMM ends too: if a
 * client is killed while output is unread, the serial port gives no more output
 * until the VM reboots.
 *
 * @param target The VMM, `{ socket }` or `{ pty }`.
 * @throws {DeadlineError} after `timeoutMs`.
 * @throws {GuestError} `permission_denied`, `runtime_permission` or `in_use`.
 * @throws {InvalidRequestError} `serial`: no port of the VM can be opened.
 * @throws {VmmExitedError} The VMM of the handle has ended.
 *
 * @example
 * ```ts
 * import { createClient } from "@chv/cloud-hypervisor";
 * import { openConsole } from "@chv/cloud-hypervisor/guest";
 *
 * const client = createClient("/run/vm0/api.sock");
 * // Node 22 cannot parse "await using": use try and finally there.
 * await using console = await openConsole({ client });
 * await console.waitFor(/login: $/);
 * await console.write("root\n");
 * const prompt = /[^\r\n]*[#$] $/; // such as "root@vm0:~# "
 * await console.waitFor(prompt);
 * const kernel = await console.run("uname -r", { prompt });
 * ```
 */
export async function openConsole(
  target: ConsoleTarget,
  { timeoutMs = 30_000, ...options }: OpenConsoleOptions = {},
): Promise<GuestConsole> {
  const { signal } = options;
  let console: OpeningConsole | undefined;
  const scope = createGuestScope({ signal, timeoutMs }, {
    unmet: "the console did not accept a connection",
    lastFailure: () => console?.failure,
  });
  try {
    console = createConsole(target, options);
    await scope.race(console.connected);
    return console;
  } catch (error) {
    await console?.close();
    throw explained(error);
  } finally {
    scope.close();
  }
}
