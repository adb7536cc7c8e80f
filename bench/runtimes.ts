/** How each runtime runs a script. */
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

export interface Runtime {
  readonly name: "deno" | "bun" | "node";
  readonly version: string;
  /** The arguments that run a file, the program first. */
  command(file: string, ...args: string[]): string[];
}

/** Where the packages' programs are. */
export const BIN: string = fileURLToPath(
  new URL("../node_modules/.bin/", import.meta.url),
);

/** The runtimes of these names, all of them if there is none. */
export function runtimesOf(names: readonly string[]): Runtime[] {
  return (["deno", "bun", "node"] as const)
    .filter((name) => names.length === 0 || names.includes(name))
    .map((name) => {
      // What npm puts there may be a script that starts the program.
      const program = ask(join(BIN, name), name, "process.execPath");
      return {
        name,
        version: ask(program, name, `process.versions.${name}`),
        command: (file, ...args) => [program, ...FLAGS[name], file, ...args],
      };
    });
}

/** Runs a script of this directory; resolves to the JSON that it prints. */
export function output<T>(
  runtime: Runtime,
  script: string,
  ...args: string[]
): Promise<T> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const [program, ...all] = runtime.command(path, ...args);
  return new Promise((resolve, reject) => {
    const child = spawn(program!, all, {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, NODE_NO_WARNINGS: "1" },
    });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (chunk) => text += chunk);
    child.on("error", reject).on("close", (code) => {
      if (code === 0) resolve(JSON.parse(text));
      else reject(new Error(`${script} on ${runtime.name}: ${code}`));
    });
  });
}

function ask(program: string, name: Runtime["name"], what: string): string {
  const flags = name === "deno" ? ["eval"] : ["-e"];
  const { stdout, stderr } = spawnSync(program, [
    ...flags,
    `console.log(${what})`,
  ], { encoding: "utf8" });
  if (stdout === "") throw new Error(`${program} does not run: ${stderr}`);
  return stdout.trim();
}

const FLAGS = {
  deno: ["run", "-A", "--no-check", "--quiet", "--v8-flags=--expose-gc"],
  bun: ["--expose-gc"],
  node: ["--expose-gc"],
};
