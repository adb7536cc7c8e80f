/** The released VMM that CI tests with is verified. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { download } from "../../tools/download_vmm.ts";
import pinned from "../../tools/vmm_release.json" with { type: "json" };
import { releases } from "../../testing/release.ts";
import { inDirectory } from "../support/vmms.ts";

test("download() takes the pinned file only, and names the value to enter", () =>
  inDirectory(async (directory) => {
    const server = createServer((request, response) => {
      const isThere = request.url === "/v1.0/vmm";
      response.writeHead(isThere ? 200 : 404).end(isThere ? "binary" : "");
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    const origin = `http://127.0.0.1:${port}`;
    const path = join(directory, "folder/vmm");
    const file = { release: "v1.0", asset: "vmm" };
    const sha256 = createHash("sha256").update("binary").digest("hex");

    const empty = download({ ...file, sha256: "" }, path, origin);
    await assert.rejects(empty, new RegExp(`has no SHA-256, .* has ${sha256}`));
    const other = download({ ...file, sha256: "00" }, path, origin);
    await assert.rejects(other, new RegExp(`has the SHA-256 00, .*${sha256}`));
    const missing = { release: "v2.0", asset: "vmm", sha256 };
    await assert.rejects(download(missing, path, origin), /answered 404/);
    assert.equal(existsSync(path), false);

    await download({ ...file, sha256 }, path, origin);
    assert.equal(readFileSync(path, "utf8"), "binary");
    await new Promise((done) => server.close(done));
  }));

test("tools/vmm_release.json names a release that the fake knows", () => {
  assert.ok(Object.hasOwn(releases, pinned.release), pinned.release);
  assert.match(pinned.sha256, /^([0-9a-f]{64})?$/);
});
