/** A transport whose load fails, in a script of its own. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { programCommand } from "../support/owner_script.ts";
import { testIf } from "../support/skip.ts";

testIf(!("Bun" in globalThis), "Bun's transport loads no module that can fail")(
  "a transport that cannot be loaded tells its cause, and fetch needs none",
  () => {
    const [program, ...args] = programCommand("no_transport");
    const { stdout } = spawnSync(program, args, { encoding: "utf8" });
    const [version, error] = stdout.split("\n");
    assert.equal(version, "v1");
    assert.match(
      error!,
      /^invalid_request: .*: this runtime cannot reach a Unix socket: TypeError: /,
    );
  },
);
