/** One run of a scenario's program, which SIGKILL may end. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { leftovers, processesOf, temporaryOf } from "./leftovers.ts";
import type { KillScenario } from "./scenario.ts";

/** A round that succeeded. */
export interface Round {
  /** The milliseconds that the program took. */
  readonly ms: number;
  /** The moment of the kill, as the scenario names it. */
  readonly moment: string | void;
}

/**
 * Runs the program in a new work directory, ends it after `killAfterMs`, and
 * then runs the check.
 *
 * @throws {AssertionError} when the program fails by itself, the check fails,
 * or something is left.
 */
export async function runRound(
  scenario: KillScenario,
  killAfterMs: number = Infinity,
): Promise<Round> {
  const directory = mkdtempSync(join(tmpdir(), "chv-kill-"));
  try {
    mkdirSync(temporaryOf(directory));
    await scenario.prepare?.(directory);
    const ms = await runProgram(scenario, directory, killAfterMs);
    const moment = await scenario.check(directory);
    assert.deepEqual(await leftovers(directory), []);
    return { ms, moment };
  } finally {
    endProcesses(directory);
    rmSync(directory, { recursive: true, force: true });
  }
}

async function runProgram(
  { script, signal: name = "SIGKILL" }: KillScenario,
  directory: string,
  killAfterMs: number,
): Promise<number> {
  const flags = "Deno" in globalThis ? ["run", "-A", "--no-check"] : [];
  const program = [...flags, fileURLToPath(script), directory];
  let start = performance.now();
  const child = spawn(process.execPath, program, {
    env: { ...process.env, TMPDIR: temporaryOf(directory) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = once(child, "close");
  let output = "";
  let errors = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isSent = false;
  const kill = (): void => {
    isSent = child.kill(name);
  };
  if (killAfterMs !== Infinity) timer = setTimeout(kill, killAfterMs);
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    if (output === "" && !chunk.startsWith("done")) {
      start = performance.now();
      clearTimeout(timer);
      if (killAfterMs !== Infinity) timer = setTimeout(kill, killAfterMs);
    }
    output += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk) => errors += chunk);
  // A VMM may hold the pipes for longer than the program lives.
  const [code, signal] = await Promise.race([once(child, "exit"), closed]);
  const ms = performance.now() - start;
  clearTimeout(timer);
  if (isSent && (signal === name || name === "SIGINT")) return ms;
  assert.equal(code, 0, `${script} ended by itself: ${output}${errors}`);
  assert.match(output, /^done$/m, errors);
  return ms;
}

/** Ends what a round that failed has left. */
function endProcesses(directory: string): void {
  for (const line of processesOf(directory)) {
    const [, pid] = /^process (\d+):/.exec(line)!;
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended by now.
    }
  }
}
