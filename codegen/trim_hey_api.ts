/** Removes the parts of hey-api's client that the VMM's API has no use for. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Files that nothing needs once {@linkcode CUTS} are made. */
const UNUSED = [
  "core/params.gen.ts",
  "core/queryKeySerializer.gen.ts",
  "core/serverSentEvents.gen.ts",
];

/** Texts to replace: the beginning, the end, and the replacement. */
const CUTS: readonly [
  file: string,
  begin: string,
  end: string,
  text?: string,
][] = [
  ["client/index.ts", "export { buildClientParams", "\n"],
  ["client/index.ts", "export { serializeQueryKeyValue", "\n"],
  ["client/index.ts", "export type { ServerSentEventsResult", "\n"],
  ["client/client.gen.ts", "import { createSseClient", "\n"],
  ["client/client.gen.ts", "  const makeSseFn =", "\n  };\n\n"],
  ["client/client.gen.ts", "    sse: {\n", "\n    },\n"],
  [
    "client/types.gen.ts",
    "import type {\n  ServerSentEventsOptions",
    "serverSentEvents.gen.ts';\n",
  ],
  [
    "client/types.gen.ts",
    ",\n    Pick<\n      ServerSentEventsOptions",
    "\n    > {\n",
    " {\n",
  ],
  ["client/types.gen.ts", "type SseFn = <", ";\n"],
  ["client/types.gen.ts", ", SseFn> & {", "\n", "> & {\n"],
];

/** Edits hey-api's runtime, which lies in `client` and `core` of a folder. */
export function trimHeyApi(folder: string): void {
  for (const [file, begin, end, text = ""] of CUTS) {
    const path = join(folder, file);
    const source = readFileSync(path, "utf8");
    const from = source.indexOf(begin);
    const to = source.indexOf(end, from + begin.length);
    if (from < 0 || to < 0) {
      throw new Error(`${file} of hey-api has no ${JSON.stringify(begin)}`);
    }
    const rest = source.slice(to + end.length);
    writeFileSync(path, source.slice(0, from) + text + rest);
  }
  for (const file of UNUSED) rmSync(join(folder, file));
  for (const part of ["client", "core"]) {
    for (const name of readdirSync(join(folder, part))) {
      const path = join(folder, part, name);
      // hey-api's own files do not hold under exactOptionalPropertyTypes.
      writeFileSync(path, `// @ts-nocheck\n${readFileSync(path, "utf8")}`);
    }
  }
}
