/** Two fake VMMs, for the tests of migrations. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MigrationError } from "../../src/workflows/mod.ts";
import type { FakeVmmOptions } from "../../testing/mod.ts";
import type { EventReader } from "../../src/events/event.ts";
import { VM } from "./running_vm.ts";
import { type Faked, faked } from "./vmms.ts";

export interface Pair {
  readonly directory: string;
  readonly from: Faked;
  readonly to: Faked;
}

/** Calls `body` with two fake VMMs, of which the first has a running VM. */
export async function pair(
  body: (pair: Pair) => Promise<void>,
  { source, destination }: {
    source?: FakeVmmOptions;
    destination?: FakeVmmOptions;
  } = {},
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "chv-test-"));
  const from = await faked(directory, source, "from");
  const to = await faked(directory, destination, "to");
  try {
    await from.vmm.client.vm.create(VM);
    await from.vmm.client.vm.boot();
    await body({ directory, from, to });
  } finally {
    await from.end();
    await to.end();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Asserts that a migration fails and leaves both sides in these states. */
export async function fails(
  migrating: Promise<unknown>,
  source: string,
  destination: string,
): Promise<MigrationError> {
  const error = await migrating.then(() => undefined, (error) => error);
  assert.ok(error instanceof MigrationError, String(error?.stack ?? error));
  assert.deepEqual(
    { source: error.source, destination: error.destination },
    { source, destination },
    error.message,
  );
  return error;
}

/** The VMM's events up to one, after which no event comes. */
export function cut(
  vmm: Faked["vmm"],
  last: string,
  ends = false,
): EventReader {
  return async function* (options) {
    for await (const event of vmm.events!(options)) {
      yield event;
      if (event.event === last) break;
    }
    if (ends) return;
    const { signal, ended } = options!;
    const aborted = new Promise((resolve) =>
      signal!.addEventListener("abort", resolve)
    );
    // A reader of the events so far does not wait.
    await Promise.race([aborted, ended]);
  };
}
