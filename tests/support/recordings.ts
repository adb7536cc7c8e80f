/** The recorded exchanges with real VMMs, 64-bit integers exact. */
import { readdirSync, readFileSync } from "node:fs";
import { parse } from "../../src/json/json.ts";

export interface Exchange {
  method?: string;
  path?: string;
  body?: unknown;
  rawBody?: string;
  raw?: string;
  response: {
    status?: number;
    headers?: Record<string, string>;
    body?: unknown;
    text?: string;
    closed?: string;
  };
}

export interface Recording {
  release: "head" | "v53.0";
  scenario: string;
  exchanges: Exchange[];
}

export function recordings(
  release: Recording["release"],
  folder: "recordings" | "replay_recordings" = "recordings",
): Recording[] {
  const directory = new URL(`../${folder}/${release}/`, import.meta.url);
  return readdirSync(directory).sort().map((name) => ({
    release,
    ...parse(readFileSync(new URL(name, directory), "utf8")) as Omit<
      Recording,
      "release"
    >,
  }));
}

/** Those of the project too, and of both releases. */
export function allRecordings(): Recording[] {
  return (["head", "v53.0"] as const).flatMap((release) => [
    ...recordings(release),
    ...recordings(release, "replay_recordings"),
  ]);
}

/** The body of a recorded answer as it stood on the wire. */
export function textOf({ response }: Exchange): string {
  if (response.text !== undefined) return response.text;
  return response.body === null || response.body === undefined
    ? ""
    : JSON.stringify(response.body);
}
