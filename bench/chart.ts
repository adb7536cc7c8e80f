/** The ratios to a bare call, as bars. */
import type { Figure } from "./compare.ts";
import type { Results } from "./results.ts";

const WIDTH = 760;
const LEFT = 330;
const LINE = 18;
/** Where a bar is cut off; a process for each call is far beyond. */
const MOST = 3;

export function chart(all: readonly Results[]): string {
  const lines = all.flatMap(({ runtime, calls, starts }) => [
    { title: `${runtime.name} ${runtime.version}` },
    ...[...calls, ...starts].filter(isShown),
  ]);
  const height = (lines.length + 1) * LINE;
  const one = LEFT + scale(1);
  const marks = lines.map((line, i) => mark(line, (i + 1) * LINE));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ` +
    `${height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
${marks.join("\n")}
<line x1="${one}" x2="${one}" y1="0" y2="${height}" stroke="black"/>
</svg>
`;
}

function isShown({ row }: Figure): boolean {
  return row !== "bare" && row !== "empty" && row !== "import alone";
}

function mark(line: Figure | { title: string }, y: number): string {
  if ("title" in line) {
    return `<text x="4" y="${y}" font-weight="bold">${line.title}</text>`;
  }
  const { what, row, ratio } = line;
  const width = scale(Math.min(ratio, MOST));
  const fill = row.startsWith("this client") ? "#2563eb" : "#cbd5e1";
  return `<text x="${LEFT - 6}" y="${y}" text-anchor="end">${what}: ${row}` +
    `</text><rect x="${LEFT}" y="${y - 11}" width="${width}" height="13" ` +
    `fill="${fill}"/><text x="${LEFT + width + 4}" y="${y}">` +
    `${ratio.toFixed(2)}</text>`;
}

function scale(ratio: number): number {
  return Math.round(ratio / MOST * (WIDTH - LEFT - 60));
}
