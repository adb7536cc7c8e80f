/**
 * Writes docs/public-api.md: the signature of everything that users can import,
 * so that a review sees what a change of the code or of the spec does to them.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { paragraph } from "./markdown.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** An exported name, with the file and the name of its declaration. */
interface Export {
  readonly name: string;
  readonly file: string;
  readonly local: string;
}

/** The page; `entries` maps the names of entries to their files. */
export function publicApiPage(
  entries: Readonly<Record<string, string>>,
): string {
  const homes = new Map<string, string>();
  const lines = [
    "# The public API",
    "",
    ...paragraph(
      "Made by `deno task docs` from the sources; do not edit. Every signature of every entry, without its docstring. A change of this page is a change for users.",
    ),
    "",
  ];
  for (const [entry, file] of Object.entries(entries)) {
    const all = exportsOf(join(ROOT, file))
      .sort((a, b) => a.name < b.name ? -1 : 1);
    const own = all.filter((item) => !homes.has(idOf(item)));
    const shared = all.filter((item) => homes.has(idOf(item)));
    for (const item of own) homes.set(idOf(item), entry);
    lines.push(`## ${entry}`, "");
    if (all.length === 0) lines.push("A program, without exports.", "");
    if (own.length > 0) {
      lines.push("```typescript", own.map(signature).join("\n\n"), "```", "");
    }
    if (shared.length > 0) {
      const names = shared.map((item) => {
        return `\`${item.name}\` (of \`${homes.get(idOf(item))}\`)`;
      });
      lines.push(...paragraph(`Also: ${names.join(", ")}.`), "");
    }
  }
  return format(lines.join("\n"));
}

/** The text as `deno fmt` has it: a member a line, so that a diff is short. */
function format(text: string): string {
  const deno = join(ROOT, "node_modules/.bin/deno");
  return execFileSync(deno, ["fmt", "--ext=md", "-"], {
    cwd: ROOT,
    encoding: "utf8",
    input: text,
  });
}

function idOf({ file, local }: Export): string {
  return `${file}#${local}`;
}

/** The exports of a module, each traced to the file that declares it. */
function exportsOf(file: string): Export[] {
  const { statements } = parse(file, readFileSync(file, "utf8"));
  const imports = new Map<string, Export>();
  for (const statement of statements.filter(ts.isImportDeclaration)) {
    const bindings = statement.importClause?.namedBindings;
    const from = targetOf(file, statement.moduleSpecifier);
    if (from === undefined || !bindings || !ts.isNamedImports(bindings)) {
      continue;
    }
    for (const { name, propertyName } of bindings.elements) {
      const local = (propertyName ?? name).text;
      imports.set(name.text, { name: name.text, file: from, local });
    }
  }
  return statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement)) {
      return isExported(statement)
        ? namesOf(statement).map((name) => ({ name, file, local: name }))
        : [];
    }
    const { exportClause, moduleSpecifier } = statement;
    if (!exportClause || !ts.isNamedExports(exportClause)) return [];
    return exportClause.elements.map(({ name, propertyName }) => {
      const local = (propertyName ?? name).text;
      const from = targetOf(file, moduleSpecifier);
      const source = from === undefined
        ? imports.get(local)
        : { file: from, local };
      return trace({ file, local, ...source, name: name.text });
    });
  });
}

/** Follows a name through modules that only pass it on. */
function trace(item: Export): Export {
  const next = exportsOf(item.file).find(({ name }) => name === item.local);
  return next === undefined || next.file === item.file
    ? item
    : { ...next, name: item.name };
}

function targetOf(
  file: string,
  specifier: ts.Expression | undefined,
): string | undefined {
  if (!specifier || !ts.isStringLiteral(specifier)) return undefined;
  const { text } = specifier;
  return text.startsWith(".") ? join(dirname(file), text) : undefined;
}

function isExported(statement: ts.Statement): boolean {
  return ts.canHaveModifiers(statement) &&
    ts.getModifiers(statement)?.some(({ kind }) =>
        kind === ts.SyntaxKind.ExportKeyword
      ) === true;
}

function namesOf(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations
      .map(({ name }) => name.getText());
  }
  const { name } = statement as ts.DeclarationStatement;
  return name === undefined ? [] : [name.text];
}

/** The declaration of an export, without a body and without comments. */
function signature({ name, file, local }: Export): string {
  const declarations = declarationsOf(file).statements
    .filter((statement) => namesOf(statement).includes(local));
  if (declarations.length === 0) throw new Error(`${file} has no ${local}`);
  const text = declarations.map((statement) => statement.getText()).join("\n")
    .replaceAll(/^export (declare )?|^declare /gm, "")
    // Private members.
    .replaceAll(/^ +(#private;|private .*;)\n/gm, "")
    .replaceAll(/^(?: {4})+/gm, (indent) => " ".repeat(indent.length / 2));
  return name === local ? text : `${text}\n// as ${name}`;
}

function declarationsOf(file: string): ts.SourceFile {
  const cached = emitted.get(file);
  if (cached) return cached;
  const { outputText } = ts.transpileDeclaration(readFileSync(file, "utf8"), {
    fileName: file,
    compilerOptions: {
      target: ts.ScriptTarget.ESNext,
      removeComments: true,
      stripInternal: true,
      verbatimModuleSyntax: true,
    },
  });
  const source = parse(file.replace(/\.ts$/, ".d.ts"), outputText);
  emitted.set(file, source);
  return source;
}

const emitted = new Map<string, ts.SourceFile>();

function parse(file: string, text: string): ts.SourceFile {
  return ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true);
}
