/** Options of `spawnVmm`. */
import type { CreateClientOptions } from "../client/create_client.ts";
import type { VmConfig } from "../generated/types.gen.ts";

/** Options of `spawnVmm`. */
export interface SpawnVmmOptions {
  /**
   * The program: a path, a name that is searched in `PATH`, or an argument list
   * that the VMM's own arguments follow.
   *
   * Default: the environment variable `CLOUD_HYPERVISOR`, or
   * `cloud-hypervisor`.
   */
  readonly command?: string | readonly string[];
  /**
   * The directory of the API socket, its lock, the events and stderr. It is
   * created with mode 0700 if it is missing. Keep its path short: the path of
   * each socket in it may have at most 107 bytes. At the end, only these files
   * are removed, and the directory if it was created and is empty.
   *
   * Default: a private temporary directory, which is removed with all that is
   * in it.
   */
  readonly directory?: string;
  /**
   * Leaves the VMM running when the script ends, whether by itself, an error,
   * `exit`, a signal or SIGKILL. A later call with the same `directory` adopts
   * the VMM that lives there, or replaces a dead one; of several calls at once,
   * one starts the VMM. `config` is used once: a VM that was booted stays as it
   * is, also if `config` differs, and all other options of the start have no
   * effect on it. A VM that was created and not booted is deleted and created
   * anew. The VMM ends by `stop()` or `kill()`, or with its guest.
   *
   * `detach` needs `directory`, and excludes `console`, `onSignal`, `onReboot`,
   * `onPanic`, `parentDeathSignal` and `stdout: "inherit"`. stdout and stderr
   * go to files of these names in the directory. `signal` limits only the
   * start.
   *
   * Default: `false`.
   */
  readonly detach?: boolean;
  /**
   * More flags, after the flags that `spawnVmm` sets. Flags that describe a VM
   * need `--kernel`, `--firmware` or `--igvm` beside them. A VM on the command
   * line, or `--restore`, excludes `config`.
   */
  readonly args?: readonly string[];
  /** Variables that are added to the script's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** The file of the VMM's log. Default: stderr, whose end is kept. */
  readonly logFile?: string;
  /**
   * The reaction of the kernel to a system call that the VMM's filter does not
   * expect: `true` ends the VMM, `"log"` only logs the call.
   *
   * Default: `true`.
   */
  readonly seccomp?: boolean | "log";
  /**
   * Confines the VMM to the files that the VM of `config` names, and to those
   * of its `landlock_rules`. This option sets `landlock_enable` in `config`.
   *
   * Default: `false`.
   */
  readonly landlock?: boolean;
  /**
   * A VM to create and boot. If the boot fails, the VMM is ended. If the guest
   * powers off very early, `spawnVmm` resolves all the same, and the VMM may end
   * before your next call; `ended` has the cause.
   */
  readonly config?: VmConfig;
  /**
   * Reads the serial port of the VM from before its boot, as `console` of the
   * handle. The VM of `config` gets `serial: { mode: "Socket" }` with the socket
   * `serial.sock` in the VMM's directory, unless `config` sets `serial`. A VM
   * that the script creates itself needs a serial port in mode `Socket`, or a
   * serial port or console in mode `Pty`; wait for `console.connected` before
   * `vm.boot`.
   *
   * Default: `false`.
   */
  readonly console?: boolean;
  /**
   * Open descriptors that the VMM inherits, as 3, 4 and so on in their order.
   * Use them in `args`, such as `["--kernel", path, "--net", "fd=3"]`, or in
   * `--restore source_url=…,net_fds=[id@[3]]`: in `config` the VMM ignores
   * descriptors. The script keeps its own descriptors, and has to close them.
   */
  readonly fds?: readonly number[];
  /**
   * The destination of the VMM's stdout, to which a console in mode `Tty`
   * writes.
   *
   * Default: `"ignore"`; with `detach`, the file `stdout` of the directory.
   */
  readonly stdout?: "ignore" | "inherit";
  /**
   * Milliseconds until the VMM has to answer.
   *
   * Default: `30_000`.
   */
  readonly timeoutMs?: number;
  /**
   * Ends the VMM. When this signal aborts during the start, the start rejects
   * with the signal's reason, and the VMM is killed. When it aborts later, the
   * VMM is stopped as by `stop()`, within `stopTimeoutMs`. To limit the start
   * alone, use `timeoutMs`.
   */
  readonly signal?: AbortSignal;
  /**
   * The reaction to SIGINT, SIGTERM and SIGHUP:
   *
   * - `"kill"` kills the VMM and its guest.
   * - `"stop"` calls `stop()` with `stopTimeoutMs`. A second signal kills.
   * - `"ignore"` does nothing: the signal is left to the script.
   *
   * After `"kill"` and `"stop"` the signal ends the script too, unless the
   * script has its own listener for that signal.
   *
   * Default: `"kill"`.
   */
  readonly onSignal?: "kill" | "stop" | "ignore";
  /**
   * The reaction to a reboot of the guest, also by `vm.reboot`: the VMM boots
   * the VM again, or the VMM is ended. The guest may run for some milliseconds
   * before the end: the VMM ends when it has booted the VM again.
   *
   * Default: `"continue"`.
   */
  readonly onReboot?: "continue" | "end";
  /**
   * The reaction to a panic of the guest: `"end"` ends the VMM. The VM of
   * `config` gets the device by which a guest reports a panic, `pvpanic: true`;
   * a VM that the script creates itself, or on the command line, needs the
   * device, too. The guest needs the driver (`CONFIG_PVPANIC_PCI` of Linux).
   * A guest that has loaded a crash kernel reports that in place of the panic,
   * and goes on to write its dump.
   *
   * Default: `"continue"`.
   */
  readonly onPanic?: "continue" | "end";
  /**
   * Makes the kernel kill the VMM when the script's process dies, even by
   * SIGKILL. The library then starts the command by the program `setpriv`,
   * which must be installed. After such a death, the VMM's files and sockets
   * stay. In a worker thread this option is required. It is refused for a
   * set-id program, and for a program that has file capabilities (`setcap`),
   * unless the script is root or has the same capabilities.
   *
   * Default: `false`.
   */
  readonly parentDeathSignal?: boolean;
  /**
   * Milliseconds for `stop()` when the handle is disposed of, or after a signal
   * with `onSignal: "stop"`.
   *
   * Default: `30_000`.
   */
  readonly stopTimeoutMs?: number;
  /** Options of the handle's client. */
  readonly client?: CreateClientOptions;
}
