/** Starts, kills and cuts the slow link of a fleet. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { LinkReport } from "./link.ts";

const PROGRAM = fileURLToPath(new URL("link.ts", import.meta.url));
const NOTHING: LinkReport = { open: 0, begun: 0, bytes: 0, cut: 0 };

export class SlowLink {
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  #before: LinkReport = NOTHING;
  #now: LinkReport = NOTHING;

  /** Each chunk takes up to `ms` milliseconds. */
  constructor(directory: string, ms: number) {
    this.#args = [directory, String(ms)];
  }

  /** The transfers of all processes. Those of a killed process are cut. */
  get report(): LinkReport {
    const { begun, bytes, cut } = this.#before;
    const now = this.#now;
    return {
      open: now.open,
      begun: begun + now.begun,
      bytes: bytes + now.bytes,
      cut: cut + now.cut,
    };
  }

  start(): void {
    const flags = "Deno" in globalThis ? ["run", "-A", "--no-check"] : [];
    const child = spawn(process.execPath, [...flags, PROGRAM, ...this.#args], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    createInterface(child.stdout).on("line", (line) => {
      if (child === this.#child) this.#now = JSON.parse(line);
    });
    this.#child = child;
  }

  /**
   * Ends the process, and with it all transfers.
   *
   * @throws {Error} when the process has ended by itself.
   */
  async kill(): Promise<void> {
    const child = this.#child!;
    if (child.exitCode !== null) throw new Error("the link has ended");
    this.#child = undefined;
    if (child.kill("SIGKILL")) await once(child, "exit");
    const { open, cut, ...rest } = this.report;
    this.#before = { ...rest, open: 0, cut: cut + open };
    this.#now = NOTHING;
  }

  /** Ends one transfer in the middle, if one is under way. */
  cut(): void {
    this.#child!.stdin!.write("cut\n");
  }
}
