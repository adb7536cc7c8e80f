/** Writes events.gen.ts: what the event monitor reports. */
import type { EventKind, Spec } from "./spec.ts";

export function eventsSource({ "x-events": kinds }: Spec): string {
  return `/** What the event monitor reports, made from the spec. */

/** What is in common to all events. */
export interface MonitorEvent<
  Source extends string,
  Name extends string,
  Properties = null,
> {
  /** The time since the monitor's start. */
  readonly timestamp: {
    /** Whole seconds. */
    readonly secs: number;
    /** Nanoseconds beyond them. */
    readonly nanos: number;
  };
  /** Who reports it. */
  readonly source: Source;
  /** What has happened. */
  readonly event: Name;
  /** More about it, or null. */
  readonly properties: Properties;
}

/** The events that the VMM is known to report, each by source and event. */
export type KnownEvent =
${kinds.map(member).join("\n")};

/** The same, as \`source event\`. */
export const eventKinds: ReadonlySet<string> = new Set([
${kinds.map(({ source, event }) => `  "${source} ${event}",`).join("\n")}
]);
`;
}

function member({ source, event, properties, description }: EventKind): string {
  const fields = Object.entries(properties ?? {}).map(([name, text]) =>
    `    /** ${text} */\n    readonly ${name}: string;\n`
  );
  const given = [
    `"${source}"`,
    `"${event}"`,
    ...fields.length > 0 ? [`{\n${fields.join("")}  }`] : [],
  ];
  return `  /** ${description} */\n  | MonitorEvent<${given.join(", ")}>`;
}
