/** A program that is killed at random moments, and the run after it. */
import process from "node:process";
import { fakeCommand } from "../../../testing/mod.ts";

export interface KillScenario {
  readonly name: string;
  /** The signal that ends the program. Default: SIGKILL. */
  readonly signal?: "SIGINT" | "SIGKILL";
  /**
   * The program that is ended by SIGKILL. Its argument is the work directory.
   * It prints "done" at its end. If it prints a line before, such as "begin"
   * when its modules are loaded, the moments are counted from that line.
   */
  readonly script: URL;
  /** Prepares a work directory, before the program starts. */
  prepare?(directory: string): Promise<void>;
  /**
   * The next run: adopts or cleans what the program left, and ends it. It is
   * also called after a run that nobody killed. It throws an `AssertionError`,
   * or resolves to a word for the moment of the kill, which the runner counts.
   */
  check(directory: string): Promise<string | void>;
}

/** The VMM of all scenarios: the one that `CLOUD_HYPERVISOR` names, or the fake. */
export const command: string | readonly string[] =
  process.env["CLOUD_HYPERVISOR"] || fakeCommand();
