/** The results as Markdown. */
import { spawnSync } from "node:child_process";
import { availableParallelism, release } from "node:os";
import process from "node:process";
import type { Figure } from "./compare.ts";
import { goals } from "./goals.ts";
import type { Memory } from "./memory.ts";
import type { Load } from "./poll.ts";
import { programs } from "./programs.ts";
import type { Results } from "./results.ts";
import type { Loss } from "./rivals.ts";

export function report(all: readonly Results[], bundle: number): string {
  return [
    "# Results",
    `Made by \`deno task bench\` on ${availableParallelism()} processors, ` +
    `Linux ${release().split("-")[0]}, with ${versions(all)}.`,
    "Times are medians, with the quartiles; the ratio is the median by that " +
    "of the first row. The rows of a case were measured in turn, in one run. " +
    "“bare again” is the first row once more: what it differs by is noise. " +
    "A program is started for each call.",
    "![The ratios to a bare call](results.svg)",
    `The root entry, bundled and minified, has ${bundle} bytes.`,
    "The bare row of many calls at once has them wait in four lines. The " +
    "client's four slots wait besides until the VMM has noticed that a " +
    "connection was closed: that is what its bursts cost, and why it loses no " +
    "call where two of it use one VMM.",
    "A script's start reads the client's twenty small modules. Where a runtime " +
    "starts in a few milliseconds, that shows; bundling the script halves it.",
    "## Goals",
    rows(
      ["goal", ...all.map(({ runtime }) => runtime.name)],
      goals.map(({ goal, value, most, format }) => [
        goal,
        ...all.map(value).map((it) =>
          format(it) + (it <= most ? "" : " (missed)")
        ),
      ]),
    ),
    ...all.flatMap(section),
  ].join("\n\n") + "\n";
}

function versions(all: readonly Results[]): string {
  const vmm = process.env["CLOUD_HYPERVISOR"];
  return [
    ...all.map(({ runtime }) => `${runtime.name} ${runtime.version}`),
    ...programs().map(({ version }) => version),
    ...vmm ? [versionOf(vmm)] : [],
  ].join(", ");
}

function versionOf(program: string): string {
  const { stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  return stdout.split("\n")[0]!.trim();
}

function section(results: Results): string[] {
  const { runtime, calls, losses, starts, inner, memory, loads } = results;
  const { real, realLosses } = results;
  return [
    `## ${runtime.name} ${runtime.version}`,
    table(calls),
    "Two of a kind at once, with four lines each, and what they lose:",
    rows(LOSS, losses.map(lossRow)),
    "A process for each call:",
    table(starts),
    "Without a call:",
    table(inner),
    "Memory after a collection:",
    rows(["calls", "heap, MB", "RSS, MB"], memory.map(memoryRow)),
    "VMMs that are polled once a second, all at the same moment:",
    rows(["VMMs", "CPU, %", "RSS, MB", "sockets"], loads.map(loadRow)),
    ...real && realLosses
      ? [
        "Against the real VMM:",
        table(real),
        rows(LOSS, realLosses.map(lossRow)),
      ]
      : [],
  ];
}

function table(figures: readonly Figure[]): string {
  return rows(
    ["case", "row", "median, ms", "quartiles, ms", "ratio"],
    figures.map(({ what, row, median, low, high, ratio }) => [
      what,
      row,
      ms(median),
      `${ms(low)} to ${ms(high)}`,
      ratio.toFixed(2),
    ]),
  );
}

const LOSS = ["row", "pings", "lost"];

function lossRow({ row, calls, lost }: Loss): string[] {
  return [row, `${calls}`, `${lost}`];
}

function memoryRow({ calls, heap, rss }: Memory): string[] {
  return [`${calls}`, (heap / 1e6).toFixed(2), (rss / 1e6).toFixed(1)];
}

function loadRow({ vmms, cpu, rss, sockets }: Load): string[] {
  return [`${vmms}`, cpu.toFixed(1), (rss / 1e6).toFixed(1), `${sockets}`];
}

function rows(
  head: readonly string[],
  body: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...body.map(line)]
    .join("\n");
}

function ms(time: number): string {
  return time.toFixed(time < 10 ? 3 : 1);
}
