/** `--console`, `--serial` and `--debug-console`. */
import type {
  ConsoleConfig,
  ConsoleMode,
  DebugConsoleConfig,
  SerialConfig,
} from "../generated/types.gen.ts";
import { given } from "./given.ts";
import { OptionList } from "./option_list.ts";
import type { FlagValue } from "./parse_flags.ts";
import { unquote } from "./quotes.ts";
import { reader, text, valueless } from "./reader.ts";
import { pci } from "./shared.ts";

const modes = {
  off: valueless,
  pty: valueless,
  tty: valueless,
  null: valueless,
  file: text,
} as const;

const serialOptions = { ...modes, socket: text } as const;

const consoleOptions = { ...serialOptions, ...pci } as const;

/** A port in hexadecimal, such as `0xe9`. */
const port = reader("a port such as 0xe9", (value) => {
  const digits = /^0x\+?([\da-f]+)$/i.exec(unquote(value))?.[1];
  const number = digits === undefined ? NaN : parseInt(digits, 16);
  return number <= 0xffff ? number : undefined;
});

const debugConsoleOptions = { ...modes, iobase: port } as const;

export function parseConsole(value: FlagValue): ConsoleConfig {
  const list = new OptionList(value, consoleOptions);
  return given({ ...modeOf(list), ...list.read(pci) });
}

export function parseSerial(value: FlagValue): SerialConfig {
  return modeOf(new OptionList(value, serialOptions));
}

export function parseDebugConsole(value: FlagValue): DebugConsoleConfig {
  const list = new OptionList(value, debugConsoleOptions);
  return { ...modeOf(list), ...list.read({ iobase: port }) };
}

/** If several modes are given, the first of these holds. */
const MODES: readonly (readonly [option: string, mode: ConsoleMode])[] = [
  ["off", "Off"],
  ["pty", "Pty"],
  ["tty", "Tty"],
  ["null", "Null"],
  ["file", "File"],
  ["socket", "Socket"],
];

interface Mode {
  mode: ConsoleMode;
  file?: string;
  socket?: string;
}

function modeOf(list: OptionList): Mode {
  const [option, mode] = MODES.find(([option]) => list.has(option)) ?? [];
  if (option === undefined || mode === undefined) {
    throw list.fault(
      "missing_option",
      "mode",
      undefined,
      "is missing; there are off, pty, tty, null, file=…, socket=…",
    );
  }
  if (mode !== "File" && mode !== "Socket") return { mode };
  const key = mode === "File" ? "file" : "socket";
  const path = list.require(key, list.read({ [key]: text })[key]);
  return { mode, [key]: path };
}
