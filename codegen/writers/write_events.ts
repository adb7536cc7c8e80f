/** Writes events.gen.ts: the events that the event monitor reports. */
import type { EventKind, Spec } from "../spec.ts";

export function eventsSource({ "x-events": kinds }: Spec): string {
  return `// Made by \`deno task gen\` from spec/events.yaml.
import type { MonitorEvent } from "../generated_support/monitor_event.ts";

/** The events that the VMM is known to report, by source and event. */
export type KnownEvent =
${kinds.map(member).join("\n")};

/** The known events, written as \`source event\`. */
export const eventKinds: ReadonlySet<string> = new Set([
${kinds.map(({ source, event }) => `  "${source} ${event}",`).join("\n")}
]);
`;
}

function member(kind: EventKind): string {
  const { source, event, properties, description, "x-since": since } = kind;
  const text = since === undefined
    ? description
    : `${description} Since ${since}.`;
  const fields = Object.entries(properties ?? {}).map(([name, text]) =>
    `    /** ${text} */\n    readonly ${name}: string;\n`
  );
  const given = [
    `"${source}"`,
    `"${event}"`,
    ...fields.length > 0 ? [`{\n${fields.join("")}  }`] : [],
  ];
  return `  /** ${text} */\n  | MonitorEvent<${given.join(", ")}>`;
}
