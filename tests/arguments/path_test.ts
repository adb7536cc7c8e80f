import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, InvalidRequestError, unixFetch } from "../../mod.ts";
import { createSdk } from "../../src/sdk/mod.ts";
import { checkPath } from "../../src/arguments/path.ts";

const REFUSED: readonly [path: unknown, problem: string][] = [
  ["", "the path is empty"],
  ["/run/\0", "the path contains a NUL"],
  [undefined, "takes a path, not undefined"],
  [null, "takes a path, not null"],
  [7, "takes a path, not number"],
  [
    "file:///backup",
    'takes a path, not the URL "file:///backup"; write "/backup"',
  ],
  [
    new URL("file:///backup"),
    'takes a path, not the URL "file:///backup"; write "/backup"',
  ],
  ["file:/b", 'takes a path, not the URL "file:/b"; write "/b"'],
  ["unix:///a", 'takes a path, not the URL "unix:///a"; write "/a"'],
  ["unix:a", 'takes a path, not the URL "unix:a"'],
  ["http://vmm/", 'takes a path, not the URL "http://vmm/"'],
  ["tcp:127.0.0.1:1", 'takes a path, not the URL "tcp:127.0.0.1:1"'],
  ["S3://bucket/a", 'takes a path, not the URL "S3://bucket/a"'],
];

test("an argument that is no path is refused with a sentence", () => {
  for (const [path, problem] of REFUSED) {
    assert.throws(() => checkPath("directory", path), (error) => {
      assert.ok(error instanceof InvalidRequestError);
      assert.equal(error.field, "directory");
      assert.equal(error.message, `directory: ${problem}`);
      return true;
    });
  }
});

test("a path of any characters is taken as it stands", () => {
  const paths = ["/a", "a", "./unix:a", "a:b", "/a b#?%25\n", "c:\\d", "~/é"];
  for (const path of paths) assert.equal(checkPath("path", path), path);
});

test("the client, the fetch and the SDK refuse URLs as socket paths", () => {
  for (const make of [createClient, unixFetch, createSdk]) {
    assert.throws(() => make("unix:///run/a.sock"), {
      code: "invalid_request",
      field: "socketPath",
      message:
        'socketPath: takes a path, not the URL "unix:///run/a.sock"; write "/run/a.sock"',
    });
  }
});
