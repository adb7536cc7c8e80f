/** Command lines with the recorded outcome, and how one is tried again. */
import { type ChildProcess, spawn } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { guestElf } from "../../examples/guest.ts";
import { ApiError, type Client, createClient } from "../../mod.ts";
import { parse, stringify } from "../../src/json/json.ts";

/** The outcome of a command line. */
export interface Outcome {
  /** The VM runs, or without a VM, the API answers. */
  readonly up: boolean;
  /** `vm.info`: the status where there is no VM. */
  readonly info?: {
    readonly status?: number;
    readonly state?: string;
    readonly config?: Readonly<Record<string, unknown>>;
  };
  /** The exit code; after SIGTERM, if the VMM was up. */
  readonly exit: number | string | null;
  /** The first line of stderr that is no log. */
  readonly stderrFirstLine?: string;
  /** The numbered errors below that line. */
  readonly chain?: readonly string[];
}

/** A file that a case names. */
interface FileOfCase {
  readonly kind: "raw" | "qcow2" | "elf" | "directory" | "missing";
  readonly size?: number;
}

/** The name of a release in the records. */
export type RecordedRelease = "head" | "v53.0";

/** A command line with its record. */
export interface LineCase {
  readonly id: string;
  readonly line: readonly string[];
  readonly real: Readonly<Record<RecordedRelease, Outcome>>;
  /** Why the stand-in program may differ: a host decides. */
  readonly host?: string;
}

/** `tests/cases/lines.json`. */
export interface LineCases {
  readonly files: Readonly<Record<string, FileOfCase>>;
  readonly cases: readonly LineCase[];
}

/** The recorded cases, 64-bit integers exact. */
export function lineCases(): LineCases {
  const url = new URL("../cases/lines.json", import.meta.url);
  return parse(readFileSync(url, "utf8")) as LineCases;
}

/** A new directory with the files that a command line names. */
export function placeFiles(
  files: LineCases["files"],
  line: readonly string[],
): string {
  const directory = mkdtempSync(join(tmpdir(), "chv-line-"));
  const text = line.join("\n");
  for (const [name, { kind, size = 0 }] of Object.entries(files)) {
    if (!text.includes(`$TMP/${name}`)) continue;
    const path = join(directory, name);
    if (kind === "directory") mkdirSync(path);
    else if (kind === "elf") writeFileSync(path, guestElf("hello"));
    else if (kind === "qcow2") writeFileSync(path, emptyQcow2(size));
    else if (kind === "raw") {
      writeFileSync(path, "");
      truncateSync(path, size);
    }
  }
  return directory;
}

/** A QCOW2 image of version 3 in which no cluster is written. */
function emptyQcow2(size: number): Uint8Array {
  const cluster = 1 << 16;
  const file = new Uint8Array(4 * cluster);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0x514649fb);
  view.setUint32(4, 3);
  view.setUint32(20, 16);
  view.setBigUint64(24, BigInt(size));
  view.setUint32(36, 1);
  view.setBigUint64(40, BigInt(3 * cluster));
  view.setBigUint64(48, BigInt(cluster));
  view.setUint32(56, 1);
  view.setUint32(96, 4);
  view.setUint32(100, 104);
  // The table of reference counts, and its one block: four clusters in use.
  view.setBigUint64(cluster, BigInt(2 * cluster));
  for (let index = 0; index < 4; index++) {
    view.setUint16(2 * cluster + 2 * index, 1);
  }
  return file;
}

/** Runs a program with a command line, and reports the outcome. */
export async function tryLine(
  command: readonly string[],
  files: LineCases["files"],
  line: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const directory = placeFiles(files, line);
  const socket = join(directory, "api.sock");
  const own = line.map((arg) => arg.replaceAll("$TMP", directory));
  const [program = "", ...first] = command;
  const child = spawn(
    program,
    [...first, "--api-socket", `path=${socket}`, ...own],
    { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] },
  );
  try {
    const end = ending(child);
    const info = await untilUp(socket, hasVm(line), end);
    if (info !== undefined) child.kill("SIGTERM");
    const { exit, stderr } = await end.promise;
    const outcome = { up: info !== undefined, ...info && { info }, exit };
    const failure = info === undefined ? failureIn(stderr) : {};
    return unplaced({ ...outcome, ...failure }, directory);
  } finally {
    child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Whether a command line asks for a VM. */
function hasVm(line: readonly string[]): boolean {
  return ["--kernel", "--firmware", "--restore"].some((flag) =>
    line.some((arg) => arg === flag || arg.startsWith(`${flag}=`))
  );
}

interface End {
  readonly exit: number | string | null;
  readonly stderr: string;
}

function ending(
  child: ChildProcess,
): { promise: Promise<End>; ended: boolean } {
  let stderr = "";
  child.stderr!.setEncoding("utf8");
  child.stderr!.on("data", (chunk) => stderr += chunk);
  child.stdout!.resume();
  const state = {
    ended: false,
    promise: new Promise<End>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => {
        state.ended = true;
        resolve({ exit: code ?? signal, stderr });
      });
    }),
  };
  return state;
}

/** `vm.info` of a VMM that is up; undefined if the process has ended. */
async function untilUp(
  socket: string,
  vm: boolean,
  end: { readonly ended: boolean },
): Promise<Outcome["info"]> {
  const client = createClient(socket);
  const start = performance.now();
  while (!end.ended) {
    const info = await infoOf(client);
    const up = vm
      ? info?.state !== undefined && info.state !== "Created"
      : info;
    if (up) return info;
    if (performance.now() - start > 20_000) {
      throw new Error("not up after 20 s");
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return undefined;
}

/** `vm.info` as the records have it; undefined while nobody answers. */
export async function infoOf(client: Client): Promise<Outcome["info"]> {
  try {
    const { state, config } = await client.vm.info();
    return { state, config: config as unknown as Record<string, unknown> };
  } catch (error) {
    if (error instanceof ApiError) return { status: error.status };
    return undefined;
  }
}

/** The first line of stderr that is no log, and the chain below. */
export function failureIn(
  stderr: string,
): Pick<Outcome, "stderrFirstLine" | "chain"> {
  const lines = stderr.split("\n").filter((line) => line !== "");
  const first = lines.find((line) => /^[Ee]rror:/.test(line)) ??
    lines.find((line) => !/^cloud-hypervisor: |^VMM(\.|$)/.test(line));
  if (first === undefined) return {};
  const chain = lines.slice(lines.indexOf(first))
    .map((line) => /^ {2}(?:\d+: )?(.*)$/.exec(line)?.[1])
    .filter((line) => line !== undefined);
  return first.startsWith("Error:")
    ? { stderrFirstLine: first, chain }
    : { stderrFirstLine: first };
}

/** With `$TMP` where the directory was. */
export function unplaced(outcome: Outcome, directory: string): Outcome {
  return parse(stringify(outcome)!.replaceAll(directory, "$TMP")) as Outcome;
}

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
  if (isRecord(recorded) && isRecord(outcome)) {
    // A record has the sections that the case is about, each of them whole.
    const whole = path.startsWith("info.config.");
    const keys = whole ? { ...outcome, ...recorded } : recorded;
    for (const key of Object.keys(keys)) {
      if (whole && HOST_KEYS.includes(key) && !(key in recorded)) continue;
      const place = path ? `${path}.${key}` : key;
      compare(place, recorded[key], outcome[key], found);
    }
    return;
  }
  if (Array.isArray(recorded) && Array.isArray(outcome)) {
    if (recorded.length !== outcome.length) {
      found.push(`${path}: ${stringify(outcome)}, not ${stringify(recorded)}`);
      return;
    }
    for (const [index, value] of recorded.entries()) {
      compare(`${path}[${index}]`, value, outcome[index], found);
    }
    return;
  }
  if (alike(recorded, outcome)) return;
  found.push(
    `${path}: ${stringify(outcome) ?? "nothing"}, not ${stringify(recorded)}`,
  );
}

/** Placeholders of a record, with what they stand for. */
const PLACEHOLDERS: Readonly<Record<string, RegExp>> = {
  $MAC: /^([\da-f]{2}:){5}[\da-f]{2}$/,
  $PTY: /^\/dev\/pts\/\d+$/,
  $TAP: /^vmtap\d+$/,
};

/** Members that a host decides: left out unless the case asks for them. */
const HOST_KEYS = ["max_phys_bits"];

function alike(recorded: unknown, outcome: unknown): boolean {
  if (typeof recorded === "string" && typeof outcome === "string") {
    const pattern = PLACEHOLDERS[recorded];
    if (pattern !== undefined) return pattern.test(outcome);
  }
  return stringify(recorded) === stringify(outcome);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
