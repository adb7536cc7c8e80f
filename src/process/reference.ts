/** References to VMMs that can be stored as JSON. */

/** The places of a VMM; `toJSON()` of a handle returns them. */
export interface VmmReference {
  /** The absolute path of the API socket. */
  readonly socketPath: string;
  /** The file or the named pipe of the VMM's `--event-monitor path=`. */
  readonly eventsPath?: string | undefined;
  /** The directory in which `spawnVmm` started the VMM. */
  readonly directory?: string | undefined;
}
