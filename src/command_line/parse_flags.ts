/** Splits a command line into flags and values, as the program does. */
import { nearest } from "../schema/nearest.ts";
import {
  CommandLineError,
  type CommandLineFault,
} from "./command_line_error.ts";
import { type Flag, flags } from "./flags.ts";
import type { Program } from "./program.ts";

/** A value of a flag, and its place in the command line. */
export interface FlagValue {
  /** The flag with its dashes. */
  readonly flag: string;
  readonly text: string;
  /** The index in `argv`. */
  readonly index: number;
  readonly program: Program;
}

/** The flags of a command line. */
export interface ParsedFlags {
  /** The values by flag, in their order; empty for a flag without a value. */
  readonly values: ReadonlyMap<string, readonly FlagValue[]>;
  /** The number of `-v`. */
  readonly verbosity: number;
  /** `--help`, or no argument at all: the program prints its help and ends. */
  readonly help: "asked" | "no_arguments" | undefined;
}

/** A flag whose values are still being read. */
interface Pending {
  readonly flag: Flag;
  readonly program: Program;
  readonly index: number;
  readonly values: FlagValue[];
  /** `--flag=value` takes no further value. */
  readonly closed: boolean;
}

/** @throws {CommandLineError} with exit code 2, as the program would end. */
export function parseFlags(
  argv: readonly string[],
  program: Program,
): ParsedFlags {
  const known = new Map(
    flags.filter(({ feature, since }) =>
      (!feature || program.hasFeature(feature)) &&
      (!since || program.knowsSince(since))
    ).map((flag) => [flag.name, ofProgram(flag, program)]),
  );
  const values = new Map<string, FlagValue[]>();
  let verbosity = 0;
  let pending: Pending | undefined;
  let any = false;
  let onlyValues = false;
  // A flag is checked when the next one begins: an unknown one comes first.
  const finish = () => {
    if (pending !== undefined) addChecked(values, pending);
    pending = undefined;
  };
  for (const [index, argument] of argv.entries()) {
    if (argument === "--" && !onlyValues) {
      onlyValues = true;
      continue;
    }
    const isFlag = !onlyValues && /^-./.test(argument);
    any = true;
    if (!isFlag) {
      if (onlyValues || pending === undefined || !takesMore(pending)) {
        throw stray(argument, index, known);
      }
      const { flag: { name: flag }, values } = pending;
      values.push({ flag, text: argument, index, program });
      continue;
    }
    if (!argument.startsWith("--")) {
      for (const letter of argument.slice(1)) {
        const name = SHORT[letter];
        if (name === undefined) throw stray(`-${letter}`, index, known);
        finish();
        if (name === "--help") return { values, verbosity, help: "asked" };
        if (name === "-v") verbosity++;
        else addChecked(values, begin(known.get(name)!, index, program));
      }
      continue;
    }
    const [name, inline] = splitOnce(argument);
    const flag = known.get(name);
    if (flag === undefined) throw stray(argument, index, known);
    finish();
    pending = begin(flag, index, program, inline);
    if (flag.values !== "none") continue;
    finish();
    if (name === "--help") return { values, verbosity, help: "asked" };
  }
  finish();
  if (!any) return { values, verbosity, help: "no_arguments" };
  requirePayload(values, known);
  return { values, verbosity, help: undefined };
}

/** The flag with the choices that the program has. */
function ofProgram(flag: Flag, program: Program): Flag {
  const { choices, choicesSince = {} } = flag;
  if (choices === undefined) return flag;
  const known = choices.filter((choice) => {
    const since = choicesSince[choice];
    return since === undefined || program.knowsSince(since);
  });
  return { ...flag, choices: known };
}

/** The first release in which a flag with several values may be repeated. */
const REPEATED_SINCE = "v52.0";

const SHORT: Readonly<Record<string, string>> = {
  h: "--help",
  v: "-v",
  V: "--version",
};

function begin(
  flag: Flag,
  index: number,
  program: Program,
  inline?: string,
): Pending {
  const values = inline === undefined
    ? []
    : [{ flag: flag.name, text: inline, index, program }];
  return { flag, program, index, values, closed: inline !== undefined };
}

function takesMore({ flag, values, closed }: Pending): boolean {
  if (closed || flag.values === "none") return false;
  return flag.values === "some" || values.length === 0;
}

/** Adds the values of a flag to those that came before. */
function addChecked(
  values: Map<string, FlagValue[]>,
  { flag, program, index, values: given }: Pending,
): void {
  const { name } = flag;
  const fail = (fault: Omit<CommandLineFault, "flag" | "index">) =>
    new CommandLineError({ flag: name, index, ...fault }, 2);
  const [first] = given;
  if (flag.values === "none" && first !== undefined) {
    throw fail({
      reason: "unexpected_value",
      value: first.text,
      text: `${name} takes no value, not ${JSON.stringify(first.text)}`,
    });
  }
  const needsValue = flag.values === "one" || flag.values === "some";
  const empty = flag.choices !== undefined && first?.text === "";
  if (needsValue && (first === undefined || empty)) {
    throw fail({
      reason: "missing_value",
      text: flag.choices === undefined
        ? "the value is missing"
        : `the value is missing: one of ${flag.choices.join(", ")}`,
    });
  }
  const before = values.get(name);
  const repeats = flag.values === "some" && program.knowsSince(REPEATED_SINCE);
  if (before !== undefined && !repeats) {
    throw fail({ reason: "repeated_flag", text: "may be given once only" });
  }
  if (flag.choices !== undefined && !flag.choices.includes(first!.text)) {
    throw fail({
      reason: "invalid_value",
      value: first!.text,
      text: `must be one of ${flag.choices.join(", ")}, not ` +
        JSON.stringify(first!.text),
    });
  }
  values.set(name, [...before ?? [], ...given]);
}

function stray(
  argument: string,
  index: number,
  known: ReadonlyMap<string, Flag>,
): CommandLineError {
  const [name] = splitOnce(argument);
  const isFlag = argument.startsWith("-");
  const near = isFlag ? nearest(name, [...known.keys()]) : undefined;
  return new CommandLineError({
    reason: "unexpected_argument",
    value: argument,
    argument,
    index,
    text: isFlag
      ? `there is no such flag${near ? `; did you mean "${near}"?` : ""}`
      : "no flag takes this value; quote a value that has spaces",
  }, 2);
}

function requirePayload(
  values: ReadonlyMap<string, unknown>,
  known: ReadonlyMap<string, Flag>,
): void {
  const given = [...values.keys()].map((name) => known.get(name)!);
  if (given.some(({ group }) => group === "payload")) return;
  const flag = given.find(({ group }) => group === "vm")?.name;
  if (flag === undefined) return;
  throw new CommandLineError({
    reason: "missing_payload",
    flag,
    text: "needs a VM; add --kernel or --firmware",
  }, 2);
}

/** `--flag=value` in its two parts. */
function splitOnce(argument: string): [name: string, value?: string] {
  const at = argument.indexOf("=");
  if (at < 0) return [argument];
  return [argument.slice(0, at), argument.slice(at + 1)];
}
