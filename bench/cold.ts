/** Scripts of one call, each in a process of its own. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compare, type Figure, type Row } from "./compare.ts";
import type { Plan } from "./plan.ts";
import { programs, runs } from "./programs.ts";
import { BIN, type Runtime } from "./runtimes.ts";

/** From the start of a process to its end; the first row is the bare script. */
export async function cold(
  runtime: Runtime,
  socketPath: string,
  plan: Plan,
): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), "chv-bench-"));
  const script = (name: string, text: string): Row => {
    const path = join(directory, `${name.replaceAll(/\W+/g, "-")}.mjs`);
    writeFileSync(path, text);
    return { name, run: () => runs(runtime.command(path)) };
  };
  const installed = (path: string): string =>
    JSON.stringify(join(directory, "installed", path));
  const socket = JSON.stringify(socketPath);
  const ping = (from: string): string =>
    `import { createClient } from ${from};
     await createClient(${socket}).vmm.ping();`;
  const bare = `import { bare } from ${
    installed(`bench/bare/${runtime.name}.js`)
  };
     await bare(${socket})("GET", "vmm.ping");`;

  transpile(join(directory, "installed"));
  bundle(join(directory, "bundle.mjs"));
  try {
    return await compare("a script of one ping", plan.starts, [
      script("bare", bare),
      script("bare again", bare),
      script("this client", ping(installed("mod.js"))),
      script(
        "this client, bundled",
        ping(JSON.stringify(join(directory, "bundle.mjs"))),
      ),
      script(
        "./sdk",
        `import { createSdk } from ${installed("src/sdk/mod.js")};
         await createSdk(${socket}).vmm.ping();`,
      ),
      script("import alone", `import ${installed("mod.js")};`),
      script("empty", ""),
      ...programs().map(({ name, command }) => ({
        name,
        run: () => runs(command(socketPath, "vmm.ping")),
      })),
    ]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What the root entry weighs in a bundle, in bytes. */
export function bundle(file: string): number {
  const root = fileURLToPath(new URL("../mod.ts", import.meta.url));
  const args = ["build", "--minify", root, `--outfile=${file}`];
  const { status, stderr } = spawnSync(join(BIN, "bun"), args, {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return statSync(file).size;
}

/** All of it as JavaScript, as it is installed: nobody runs it as it stands. */
function transpile(directory: string): void {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const options = [
    ...["--noCheck", "--noEmit", "false", "--declaration", "false"],
    ...["--isolatedDeclarations", "false"],
    ...["--allowImportingTsExtensions", "false"],
    ...["--rewriteRelativeImportExtensions", "--outDir", directory],
  ];
  const { status, stdout } = spawnSync(
    join(BIN, "tsc"),
    ["--project", root, ...options],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(stdout);
  writeFileSync(join(directory, "package.json"), '{"type":"module"}');
}
