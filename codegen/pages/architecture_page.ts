/** Draws which part imports which, from the imports themselves. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The drawn parts, from the outside in, each with its purpose. */
const PARTS: Readonly<Record<string, string>> = {
  "mod.ts": "the root entry: names, no code",
  "src/sdk": "./sdk: hey-api's own SDK",
  "src/process": "./process: owns a VMM process",
  "src/guest": "./guest: vsock, consoles, readiness",
  "src/workflows": "./workflows: operations of several steps",
  "src/events": "./events: the event monitor",
  "src/command_line": "./command-line: flags as a configuration",
  "src/schema": "./schema: validates requests",
  "src/vmm": "the handle of a VMM, and waiting for its states",
  "src/client": "calls: createClient, unixFetch",
  "src/requests": "requests that stop the VMM",
  "src/transport": "differences between runtimes",
  "src/wait": "deadlines, abort scopes, wake-ups",
  "src/arguments": "checks of arguments",
  "src/errors": "error classes and codes",
  "src/json": "exact JSON",
  "src/generated": "made from the spec",
  "src/generated_support": "types that generated code shares with the rest",
  "testing": "./testing: the fake VMM",
};

/** The parts that each part imports. */
export function imports(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const file of ["mod.ts", ...sources("src"), ...sources("testing")]) {
    const part = partOf(file);
    const others = found.get(part) ?? new Set();
    found.set(part, others);
    for (const target of importsOf(file)) {
      const other = partOf(target);
      if (other !== part) others.add(other);
    }
  }
  return found;
}

/** The files of the project that a file imports, types included. */
export function importsOf(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(
    readFileSync(join(ROOT, file), "utf8"),
  );
  return importedFiles.map(({ fileName }) => fileName)
    .filter((name) => name.startsWith("."))
    .map((name) => join(dirname(file), name));
}

/** The TypeScript files below a folder, as paths from the root. */
export function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((name) => name.endsWith(".ts"))
    .map((name) => relative(".", name))
    .sort();
}

/** The part that a file belongs to. */
export function partOf(file: string): string {
  const part = Object.keys(PARTS).find((part) =>
    file === part || file.startsWith(`${part}/`)
  );
  return part ?? file;
}

/** The page, with the picture in Mermaid's language. */
export function architecture(): string {
  const parts = Object.entries(PARTS);
  const id = (part: string) => `p${parts.findIndex(([name]) => name === part)}`;
  const nodes = parts.map(([part, text]) =>
    `  ${id(part)}["<b>${part}</b><br>${text}"]`
  );
  const edges = [...imports()].flatMap(([part, others]) =>
    parts.filter(([other]) => others.has(other))
      .map(([other]) => `  ${id(part)} --> ${id(other)}`)
  );
  return `# Architecture

Made by \`deno task docs\` from the imports. An arrow says which part imports
which, types included.

\`\`\`mermaid
flowchart TD
  spec[/"<b>spec/cloud-hypervisor.yaml</b><br>the source"/]
  spec -. "codegen/, deno task gen" .-> ${id("src/generated")}
${[...nodes, ...edges].join("\n")}
\`\`\`
`;
}
