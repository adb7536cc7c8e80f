/** Writes generated files that hold data. */
export const HEADER =
  "// Made by `deno task gen` from spec/cloud-hypervisor.yaml.\n\n";

/** The beginning of a file that needs a type of src/generated_support. */
export function header(type: string, file: string): string {
  return `${HEADER}import type { ${type} } from "../generated_support/${file}";\n\n`;
}

/** An exported constant, with one line for each member of a member. */
export function constant(
  { name, type, doc, value }: {
    name: string;
    type: string;
    doc: string;
    value: Readonly<Record<string, unknown>>;
  },
): string {
  return `/** ${doc} */\nexport const ${name}: ${type} = ${lines(value, 3)};\n`;
}

/** JSON whose objects are written in lines down to this depth. */
function lines(value: unknown, depth: number, indent = ""): string {
  if (depth === 0 || typeof value !== "object" || value === null) {
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return JSON.stringify(value);
  const entries = Object.entries(value);
  if (entries.length === 0) return "{}";
  const inner = `${indent} `;
  const members = entries.map(([key, member]) =>
    `${inner}${JSON.stringify(key)}: ${lines(member, depth - 1, inner)}`
  );
  return `{\n${members.join(",\n")}\n${indent}}`;
}
