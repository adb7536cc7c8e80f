/** The options of a single call. */
export interface CallOptions {
  /** Aborts the call, which then rejects with the signal's own reason. */
  signal?: AbortSignal;
  /**
   * The deadline in milliseconds, counted from the call; `Infinity` is none.
   *
   * Default: the deadline that `createClient` was given, or else the deadline
   * of the operation.
   */
  timeoutMs?: number;
}
