/** Measures scripts of one call, each in a process of its own. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "../tools/figures.ts";
import { BIN } from "../tools/test/runtimes.ts";
import { compare, type Figure, type Row } from "./compare.ts";

/** Times scripts from start to end; `command` runs a file by a runtime. */
export async function cold(
  command: (file: string) => string[],
  socketPath: string,
  rounds: number,
): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), "chv-bench-"));
  const script = (name: string, text: string): Row => {
    const path = join(directory, `${name.replaceAll(/\W+/g, "-")}.mjs`);
    writeFileSync(path, text);
    return { name, run: () => run(command(path)) };
  };
  const socket = JSON.stringify(socketPath);
  const bare = `import { bareTo } from "./installed/bench/bare.js";
    await bareTo(${socket})("GET", "vmm.ping");`;
  const ping = (from: string): string =>
    `import { createClient } from "${from}";
    await createClient(${socket}).vmm.ping();`;
  try {
    transpile(join(directory, "installed"));
    writeFileSync(join(directory, "bundle.mjs"), bundle());
    return await compare("a script of one ping", rounds, [
      script("bare", bare),
      script("bare again", bare),
      script("this client", ping("./installed/mod.js")),
      script("this client, bundled", ping("./bundle.mjs")),
      script(
        "./sdk",
        `import { createSdk } from "./installed/src/sdk/mod.js";
         await createSdk(${socket}).vmm.ping();`,
      ),
      script("import alone", `import "./installed/mod.js";`),
      script("empty", ""),
    ]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Compiles the sources to JavaScript, as they are installed. */
function transpile(directory: string): void {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const { status, stdout } = spawnSync(join(BIN, "tsc"), [
    ...["--project", root, "--noCheck", "--noEmit", "false"],
    ...["--declaration", "false", "--isolatedDeclarations", "false"],
    ...["--allowImportingTsExtensions", "false", "--outDir", directory],
    "--rewriteRelativeImportExtensions",
  ], { encoding: "utf8" });
  if (status !== 0) throw new Error(stdout);
  writeFileSync(join(directory, "package.json"), '{"type":"module"}');
}

function run([program, ...args]: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const stdio = ["ignore", "ignore", "inherit"] as const;
    const child = spawn(program!, args, { stdio: [...stdio] });
    child.on("error", reject).on("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${program} ${args.join(" ")}: ${code}`));
    });
  });
}
