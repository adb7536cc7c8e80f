/**
 * Measures this client beside a bare request, on each runtime, against the fake
 * VMM in its own process: `deno task bench`. `--quick` only tries everything,
 * `--runtime R` measures one runtime, `--out FILE` takes the results.
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { availableParallelism, release } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { spawnVmm } from "../src/process/mod.ts";
import { fakeProgram } from "../testing/mod.ts";
import { BIN } from "../tools/test/runtimes.ts";
import type { Calls } from "./calls.ts";
import { cold } from "./cold.ts";
import type { Figure } from "./compare.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    runtime: {
      type: "string",
      multiple: true,
      default: ["deno", "bun", "node"],
    },
    out: { type: "string", default: join(import.meta.dirname!, "results.md") },
  },
});

const FLAGS: Readonly<Record<string, readonly string[]>> = {
  deno: ["run", "-A", "--no-check", "--quiet", "--v8-flags=--expose-gc"],
  bun: ["--expose-gc"],
  node: ["--expose-gc"],
};
const PRINT = { deno: "eval", bun: "-e", node: "-e" };

async function section(name: keyof typeof PRINT): Promise<string> {
  // npm may put a script there that starts the program.
  const ask = (program: string, what: string): string =>
    output([program, PRINT[name], `console.log(${what})`]).trim();
  const program = ask(join(BIN, name), "process.execPath");
  const command = (file: string): string[] => [program, ...FLAGS[name]!, file];
  const vmm = await spawnVmm(fakeProgram({ files: "any" }));
  try {
    const calls = fileURLToPath(new URL("./calls.ts", import.meta.url));
    const scale = values.quick ? "0.002" : "1";
    const { figures, heap }: Calls = JSON.parse(
      output([...command(calls), vmm.socketPath, scale]),
    );
    const starts = await cold(command, vmm.socketPath, values.quick ? 1 : 15);
    return [
      `## ${name} ${ask(program, `process.versions.${name}`)}`,
      table(["case", "row", "median, ms", "quartiles, ms", "ratio"], [
        ...[...figures, ...starts].map(cells),
      ]),
      table(["pings so far", "heap, MB"], [
        ...heap.map(([calls, bytes]) => [`${calls}`, (bytes / 1e6).toFixed(2)]),
      ]),
    ].join("\n\n");
  } finally {
    await vmm.kill();
  }
}

function cells({ title, row, median, low, high, ratio }: Figure): string[] {
  const quartiles = `${low.toFixed(3)} to ${high.toFixed(3)}`;
  return [title, row, median.toFixed(3), quartiles, ratio.toFixed(2)];
}

function table(head: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join(
    "\n",
  );
}

function output([program, ...args]: string[]): string {
  const { status, stdout } = spawnSync(program!, args, {
    encoding: "utf8",
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${status}`);
  return stdout;
}

const sections: string[] = [];
for (const name of values.runtime) {
  console.error(name);
  sections.push(await section(name as keyof typeof PRINT));
}
const head = `# Results

Made by \`deno task bench\` on ${availableParallelism()} processors, Linux ${release()}.

Times are medians with their quartiles. The ratio is the median divided by that
of the first row. The rows of a case took turns in one run. "bare" is the
runtime's own request without a library; "bare again" is the same once more, and
shows the noise.`;
writeFileSync(values.out, `${[head, ...sections].join("\n\n")}\n`);
