/** Errors of a path at which no socket can be: they name the reason. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createClient } from "../../mod.ts";
import { dialVsock, listenVsock, openConsole } from "../../src/guest/mod.ts";
import { inDirectory } from "../support/vmms.ts";

const timeoutMs = 50;

for (
  const [name, code, problem] of [
    [
      "missing/deep/sock",
      "socket_missing",
      'the directory "D/missing" does not exist',
    ],
    ["file/sock", "socket_missing", '"D/file" is not a directory'],
    ["file", "refused", "the path is a file, not a socket"],
    ["directory", "refused", "the path is a directory, not a socket"],
    [
      "sock",
      "socket_missing",
      "no such socket; the VMM makes the vsock socket",
    ],
  ] as const
) {
  test(`each way to the guest names the problem of the path "${name}"`, () =>
    inDirectory(async (directory) => {
      writeFileSync(join(directory, "file"), "");
      mkdirSync(join(directory, "directory"));
      const path = join(directory, name);
      const reason = `"${path}": ${problem.replace("D", directory)}`;
      const hasReason = ({ message }: Error) => message.includes(reason);
      const once = dialVsock(path, 7, { retry: false });
      await assert.rejects(once, (error: Error & { code: string }) => {
        assert.ok(error.message.startsWith(reason), error.message);
        assert.equal(error.code, code);
        return true;
      });
      await assert.rejects(dialVsock(path, 7, { timeoutMs }), hasReason);
      const opening = openConsole({ socket: path }, { timeoutMs });
      await assert.rejects(opening, hasReason);
    }));
}

test("a listener names the directory that is missing", () =>
  inDirectory(async (directory) => {
    const path = join(directory, "missing", "sock");
    await assert.rejects(listenVsock(path, 7), {
      code: "socket_missing",
      path: `${path}_7`,
      message: /the directory ".*missing" does not exist$/,
    });
  }));

test("a client without its directory asks to check the directory", () =>
  inDirectory(async (directory) => {
    const path = join(directory, "missing", "sock");
    await assert.rejects(createClient(path).vmm.ping(), {
      code: "socket_missing",
      message: /missing\/sock".*check the path and its directory/,
    });
  }));
