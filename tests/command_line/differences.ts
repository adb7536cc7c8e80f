/** Compares the outcome of a command line with its record. */
import { stringify } from "../../src/json/json.ts";
import type { Outcome } from "../support/line_cases.ts";

/** The differences of an outcome from its record; empty if they agree. */
export function differences(recorded: Outcome, outcome: Outcome): string[] {
  const found: string[] = [];
  compare("", recorded, outcome, found);
  return found;
}

function compare(
  path: string,
  recorded: unknown,
  outcome: unknown,
  found: string[],
): void {
  if (isObject(recorded) && isObject(outcome)) {
    // A record has the sections that the case is about, each of them whole.
    const whole = path.startsWith("info.config.");
    const keys = whole ? { ...outcome, ...recorded } : recorded;
    for (const key of Object.keys(keys)) {
      if (HOST_KEYS.includes(key) && !(key in recorded)) continue;
      const place = path ? `${path}.${key}` : key;
      compare(place, recorded[key], outcome[key], found);
    }
  } else if (
    Array.isArray(recorded) && Array.isArray(outcome) &&
    recorded.length === outcome.length
  ) {
    for (const [index, value] of recorded.entries()) {
      compare(`${path}[${index}]`, value, outcome[index], found);
    }
  } else if (!isAlike(recorded, outcome)) {
    const text = stringify(outcome) ?? "nothing";
    found.push(`${path}: ${text}, not ${stringify(recorded) ?? "nothing"}`);
  }
}

/** Members that a host decides: left out unless the case asks for them. */
const HOST_KEYS = ["max_phys_bits"];

/** Placeholders of a record. */
const PLACEHOLDERS: Readonly<Record<string, RegExp>> = {
  $MAC: /^([\da-f]{2}:){5}[\da-f]{2}$/,
  $PTY: /^\/dev\/pts\/\d+$/,
  $TAP: /^vmtap\d+$/,
};

function isAlike(recorded: unknown, outcome: unknown): boolean {
  if (typeof recorded === "string" && typeof outcome === "string") {
    const pattern = PLACEHOLDERS[recorded];
    if (pattern !== undefined) return pattern.test(outcome);
    // A record cuts a message off where a stack trace began.
    if (outcome.replace(/\)\)$/, "") === recorded) return true;
  }
  return stringify(recorded) === stringify(outcome);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
