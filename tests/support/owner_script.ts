/** Scripts that own a VMM, for the tests that end them. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";

export interface OwnerScript {
  readonly child: ChildProcess;
  /** The pid of the VMM, or the first line of the output. */
  readonly firstLine: string;
  /** Resolves to the exit code, the signal and the rest of the output. */
  ended(): Promise<[code: number | null, signal: string | null, text: string]>;
}

/** The command of a program of tests/programs. */
export function programCommand(name: string): [string, ...string[]] {
  const path = fileURLToPath(
    new URL(`../programs/${name}.ts`, import.meta.url),
  );
  const flags = "Deno" in globalThis ? ["run", "-A", "--no-check"] : [];
  return [process.execPath, ...flags, path];
}

/** Starts a program of tests/programs, and waits for its first line. */
export async function startOwner(
  name: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  wrapper: readonly string[] = [],
): Promise<OwnerScript> {
  const [program, ...rest] = [...wrapper, ...programCommand(name), ...args];
  const child = spawn(program!, rest, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  const first = new Promise<void>((resolve) => {
    child.stdout!.on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) resolve();
    });
  });
  const closed = once(child, "close");
  await Promise.race([first, closed]);
  const [firstLine = ""] = text.split("\n");
  return {
    child,
    firstLine,
    async ended() {
      const [code, signal] = await closed;
      return [code, signal, text.slice(firstLine.length + 1)];
    },
  };
}
