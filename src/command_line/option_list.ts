/** The value of a flag as a list of options: `path=/a.raw,readonly=on`. */
import { nearest } from "../schema/nearest.ts";
import {
  CommandLineError,
  type CommandLineErrorReason,
} from "./command_line_error.ts";
import type { FlagValue } from "./parse_flags.ts";
import { splitAtCommas } from "./quotes.ts";
import { type Readers, valueless, type Values } from "./reader.ts";

/** The options of a flag's value. */
export class OptionList {
  readonly #given: FlagValue;
  readonly #texts: ReadonlyMap<string, string>;

  /**
   * @param names The options that the flag has.
   * @throws {CommandLineError} if one is unknown, or the syntax is wrong.
   */
  constructor(given: FlagValue, readers: Readers) {
    this.#given = given;
    this.#texts = this.#split(readers);
  }

  /** True if an option is there, also with an empty value. */
  has(name: string): boolean {
    return this.#texts.has(name);
  }

  /**
   * The values of these options, converted in their order.
   * @throws {CommandLineError} at the first that has the wrong form.
   */
  read<R extends Readers>(readers: R): Values<R> {
    const values: Record<string, unknown> = {};
    for (const [name, read] of Object.entries(readers)) {
      const text = this.#texts.get(name);
      if (text === undefined || (text === "" && read !== valueless)) continue;
      const value = read(text, this.#given.program);
      if (value === undefined) {
        const words = `must be ${read.expects}, not ${q(text)}`;
        throw this.fault("invalid_value", name, text, words);
      }
      values[name] = value;
    }
    return values as Values<R>;
  }

  /** @throws {CommandLineError} if a value is undefined. */
  require<T>(name: string, value: T | undefined, exitCode: 1 | 101 = 1): T {
    if (value !== undefined) return value;
    const text = `${name} is missing`;
    throw this.#fault("missing_option", { option: name, text }, exitCode);
  }

  /** The error about an option, to be thrown. */
  fault(
    reason: CommandLineErrorReason,
    option: string,
    value: string | undefined,
    text: string,
  ): CommandLineError {
    return this.#fault(reason, { option, value, text: `${option} ${text}` });
  }

  #fault(
    reason: CommandLineErrorReason,
    more: { option?: string; value?: string | undefined; text: string },
    exitCode: 1 | 101 = 1,
  ): CommandLineError {
    const { flag, index, text: argument } = this.#given;
    const fault = { reason, flag, index, argument, ...more };
    return new CommandLineError(fault, exitCode);
  }

  #split(readers: Readers): ReadonlyMap<string, string> {
    const texts = new Map<string, string>();
    const whole = this.#given.text.trim();
    if (whole === "") return texts;
    const parts = splitAtCommas(whole);
    if (parts === undefined) {
      throw this.#fault("invalid_syntax", {
        value: whole,
        text: "a quote or a bracket has no partner",
      });
    }
    for (const part of parts) {
      const at = part.indexOf("=");
      const name = at < 0 ? part : part.slice(0, at);
      if (!this.#knows(name, readers)) throw this.#unknown(name, readers);
      if (readers[name] === valueless) texts.set(name, "");
      else if (at >= 0) texts.set(name, part.slice(at + 1).trim());
      else {
        throw this.#fault("invalid_syntax", {
          option: name,
          value: part,
          text: `${name} needs a value, as in "${name}=…"`,
        });
      }
    }
    return texts;
  }

  #knows(name: string, readers: Readers): boolean {
    const { program, flag } = this.#given;
    return Object.hasOwn(readers, name) && program.hasOption(flag, name);
  }

  #unknown(name: string, readers: Readers): CommandLineError {
    const names = Object.keys(readers);
    const near = name === "" ? undefined : nearest(name, names);
    const advice = near === undefined
      ? `there are ${names.join(", ")}`
      : `did you mean "${near}"?`;
    return this.#fault("unknown_option", {
      option: name,
      value: name,
      text: `unknown option ${q(name)}; ${advice}`,
    });
  }
}

function q(value: string): string {
  return JSON.stringify(value);
}
