/** The members that all events of the event monitor share. */
export interface MonitorEvent<
  Source extends string,
  Name extends string,
  Properties = null,
> {
  /** The time since the monitor's start. */
  readonly timestamp: {
    /** Whole seconds. */
    readonly secs: number;
    /** Nanoseconds beyond the whole seconds. */
    readonly nanos: number;
  };
  /** The part of the VMM that reports the event. */
  readonly source: Source;
  /** The name of the event. */
  readonly event: Name;
  /** Details of the event, or null. */
  readonly properties: Properties;
}
