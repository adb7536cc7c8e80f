/** The code that the documentation shows. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sources } from "../../codegen/pages/architecture_page.ts";
import { blocks } from "./markdown.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface Snippet {
  /** The file, and which of its snippets it is, from 1. */
  readonly name: string;
  /** As it runs here: `jsr:` imports are the package's own. */
  readonly code: string;
}

/** All snippets of docstrings and pages, in the order of the files. */
export function snippets(): Snippet[] {
  const pages = readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`);
  const written = ["mod.ts", ...sources("src"), ...sources("testing")]
    .filter((file) => !file.startsWith("src/generated/"));
  return [...written, "README.md", ...pages].flatMap((file) => {
    const text = readFileSync(join(ROOT, file), "utf8");
    const lines = file.endsWith(".ts")
      // Without the margin of a docstring.
      ? text.replaceAll(/^ *\* ?/gm, "")
      : text;
    return blocks(lines).filter(({ language }) => language === "ts")
      .map(({ text: code }, index) => ({
        name: `${file} ${index + 1}`,
        code: code.replaceAll('"jsr:@chv/', '"@chv/'),
      }));
  });
}
