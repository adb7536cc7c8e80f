/** The choice of the pty to read: the number of an old one may be another's. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { GuestError, openConsole } from "../../src/guest/mod.ts";
import type { Vmm } from "../../src/vmm/vmm.ts";

const timeoutMs = 20_000;

test("a console does not open the pty of the last boot after vm.shutdown", () =>
  withPtys(async (first, second) => {
    const { vmm, answers } = scriptedVmm();
    answers.push(booted(first), booted(first));
    await using console = await openConsole(vmm, { timeoutMs });
    await console.waitFor("first", { timeoutMs });
    // The next pty of that number belongs to another program.
    writeFileSync(first, "another program");
    const seen = Array.from({ length: 3 }, () => deferred(created(first)));
    answers.push(...seen.map(({ answer }) => answer));
    for (const { asked } of seen) await asked;
    answers.push(booted(second), booted(second), created(second));
    await console.waitFor("second", { timeoutMs });
    assert.equal(console.transcript, "first second ");
  }));

test("a console reads no pty that a reboot replaced while it was opened", () =>
  withPtys(async (first, second) => {
    const { vmm, answers } = scriptedVmm();
    answers.push(booted(first), booted(second), booted(second));
    answers.push(booted(second), created(second));
    await using console = await openConsole(vmm, { timeoutMs });
    await console.waitFor("second", { timeoutMs });
    assert.equal(console.transcript, "second ");
  }));

test("a console of a pty's path ends with that pty", () =>
  withPtys(async (pty) => {
    await using console = await openConsole({ pty }, { timeoutMs });
    await console.closed;
    assert.equal(console.transcript, "first ");
    await assert.rejects(openConsole({ pty: `${pty}0` }), (error) => {
      assert.ok(error instanceof GuestError);
      assert.equal(error.code, "socket_missing");
      assert.match(error.message, /^no pseudoterminal ".*"; vm\.info names/);
      return true;
    });
  }));

/** Files in place of ptys: a console reads them to their end. */
async function withPtys(
  body: (first: string, second: string) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "pty-path-"));
  try {
    const paths = ["first", "second"].map((name) => {
      const path = join(directory, name);
      writeFileSync(path, `${name} `);
      return path;
    });
    await body(paths[0]!, paths[1]!);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

type Answer = () => { state: string; config: object };

function booted(file: string): Answer {
  return () => ({ state: "Running", config: configWith(file) });
}

function created(file: string): Answer {
  return () => ({ state: "Created", config: configWith(file) });
}

function configWith(file: string): object {
  return { serial: { mode: "Pty", file } };
}

/** An answer, and a promise of the moment at which it is given. */
function deferred(answer: Answer): { answer: Answer; asked: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    asked: promise,
    answer() {
      resolve();
      return answer();
    },
  };
}

/** A VMM whose vm.info gives the answers, one after the other. */
function scriptedVmm(): { vmm: Vmm; answers: Answer[] } {
  const answers: Answer[] = [];
  let last: Answer = created("/nowhere/pty");
  const info = () => {
    last = answers.shift() ?? last;
    return Promise.resolve(last());
  };
  return { vmm: { client: { vm: { info } } } as unknown as Vmm, answers };
}
