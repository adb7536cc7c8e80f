/** The recorded exchanges with real VMMs, with exact 64-bit integers. */
import { readdirSync, readFileSync } from "node:fs";
import { parse } from "../../src/json/json.ts";
import { releaseNames } from "../../testing/release.ts";
import type { ReleaseName } from "../../testing/release_type.ts";

/** A request: its parts, or the whole of it as `raw` text. */
export interface RecordedRequest {
  readonly method?: string;
  readonly path?: string;
  readonly body?: unknown;
  /** A body that is not JSON, or is written in an unusual way. */
  readonly rawBody?: string;
  readonly raw?: string;
  /** The request was sent after the VMM had ended. */
  readonly afterExit?: boolean;
}

/** A response, or the reason why there was none. */
export interface RecordedResponse {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** A body that is not JSON. */
  readonly text?: string;
  /** Why the connection ended without a response: a code of the system, or `EOF`. */
  readonly closed?: string;
}

export interface Exchange extends RecordedRequest {
  readonly response: RecordedResponse;
}

/** One scenario, with one VMM process, as a file of `tests/recordings/` holds it. */
export interface Scenario {
  readonly scenario: string;
  readonly exchanges: readonly Exchange[];
  /** The events of the monitor, without their times. */
  readonly events: readonly RecordedEvent[];
  /** The exit code of the VMM; null if it was still running at the end. */
  readonly exit: number | null;
}

export interface RecordedEvent {
  readonly source: string;
  readonly event: string;
  readonly properties: unknown;
}

export interface Recording extends Scenario {
  readonly release: ReleaseName;
}

/** Returns the recordings of one release. */
export function recordings(release: ReleaseName): Recording[] {
  const folder = recordingsFolder(release);
  return readdirSync(folder).sort().map((name) => ({
    release,
    ...parse(readFileSync(new URL(name, folder), "utf8")) as Scenario,
  }));
}

/** Returns the recordings of every release. */
export function allRecordings(): Recording[] {
  return releaseNames.flatMap(recordings);
}

/** Returns the folder of a release, which has the release's name. */
export function recordingsFolder(release: ReleaseName): URL {
  return new URL(`../recordings/${release}/`, import.meta.url);
}

/** Returns the body of a recorded response as text. */
export function textOf({ response }: Exchange): string {
  if (response.text !== undefined) return response.text;
  return response.body === null || response.body === undefined
    ? ""
    : JSON.stringify(response.body);
}
