/** The links between the project's pages. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const pages = ["", "docs"].flatMap((folder) =>
  readdirSync(join(ROOT, folder)).filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name))
);

for (const page of pages) {
  test(`${page} links to what is there`, () => {
    const text = readFileSync(join(ROOT, page), "utf8");
    const labels = new Map(
      [...text.matchAll(/^\[([^\]]+)\]: (\S+)$/gm)]
        .map(([, label, target]) => [label!, target!]),
    );
    // `[text](target)` and `[text][label]`, which may go over a line's end.
    const inline = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, to]) => to!);
    const named = [...text.matchAll(/\]\[([^\]]+)\]/g)]
      .map(([, label]) => label!.replaceAll(/\s+/g, " "));
    assert.deepEqual([...new Set(named)].sort(), [...labels.keys()].sort());
    for (const target of [...inline, ...labels.values()]) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path, anchor] = target.split("#") as [string, string?];
      const file = path ? join(ROOT, dirname(page), path) : join(ROOT, page);
      assert.ok(existsSync(file), target);
      if (anchor !== undefined) {
        assert.ok(anchors(readFileSync(file, "utf8")).includes(anchor), target);
      }
    }
  });
}

/** The names by which headings are linked to. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!.toLowerCase().replaceAll(/[^\w -]/g, "").replaceAll(" ", "-")
  );
}

test("README.md is short enough to be read", () => {
  const lines = readFileSync(join(ROOT, "README.md"), "utf8").split("\n");
  assert.ok(lines.length <= 201, `${lines.length - 1} lines`);
});
