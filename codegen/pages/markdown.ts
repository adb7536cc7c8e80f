/** Markdown as `deno fmt` has it. */

/** A paragraph or, with `first`, an item of a list, in lines of 80 characters. */
export function paragraph(text: string, first = ""): string[] {
  const rest = " ".repeat(first.length);
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && rest.length + longer.length > 80) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  lines.push(line);
  return lines.map((line, i) => (i === 0 ? first : rest) + line);
}

/** An item of a list. */
export function item(text: string): string[] {
  return paragraph(text, "- ");
}

/** A table; the first row is its head. */
export function table(rows: string[][]): string[] {
  const widths = rows[0]!.map((_, column) =>
    Math.max(...rows.map((row) => row[column]!.length))
  );
  const line = (row: string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  const rule = line(widths.map((width) => "-".repeat(width)));
  return [line(rows[0]!), rule, ...rows.slice(1).map(line)];
}
