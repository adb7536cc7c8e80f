/** The released VMM that CI tests with is verified. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { download, pinnedFile } from "../../tools/download_vmm.ts";
import pinned from "../../tools/vmm_releases.json" with { type: "json" };
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
    await assert.rejects(
      empty,
      new RegExp(`has no SHA-256 of v1.0, .* has ${sha256}`),
    );
    const other = download({ ...file, sha256: "00" }, path, origin);
    await assert.rejects(
      other,
      new RegExp(`has the SHA-256 00 of v1.0, .*${sha256}`),
    );
    const missing = { release: "v2.0", asset: "vmm", sha256 };
    await assert.rejects(download(missing, path, origin), /answered 404/);
    assert.equal(existsSync(path), false);

    await download({ ...file, sha256 }, path, origin);
    assert.equal(readFileSync(path, "utf8"), "binary");
    await new Promise((done) => server.close(done));
  }));

test("tools/vmm_releases.json has the file of each release that CI tests", () => {
  const workflow = new URL("../../.github/workflows/ci.yml", import.meta.url);
  const { jobs } = parse(readFileSync(workflow, "utf8"));
  const releases = Object.keys(pinned.sha256);
  assert.deepEqual(jobs.vmm.strategy.matrix.release, releases);
  for (const release of releases) {
    const { sha256 } = pinnedFile(release);
    assert.match(sha256, /^([0-9a-f]{64})?$/, release);
  }
  assert.throws(() => pinnedFile("v1.0"), /no release "v1\.0", but v48\.0, /);
});
