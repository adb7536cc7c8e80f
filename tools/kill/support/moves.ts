/** Two VMMs that outlive the script which moves a VM between them. */
import assert from "node:assert/strict";
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import {
  type ConnectedVmm,
  connectVmm,
  spawnVmm,
} from "../../../src/process/mod.ts";
import {
  arrivedVm,
  migrateVm,
  receiveVm,
  sendVm,
} from "../../../src/workflows/mod.ts";
import { smallVm } from "../../../tests/support/vmms.ts";
import { command } from "./scenario.ts";

/** Moves the VM of a work directory; can be repeated. */
export type Move = (work: string) => Promise<void>;

/** The transfer takes a while, with the fake and with a real VMM. */
const env = { FAKE_VMM_GUEST: JSON.stringify({ migrationMs: 400 }) };

/** Starts a VMM with a VM, and a VMM without one. */
export async function prepareMove(work: string): Promise<void> {
  const options = { command, env, detach: true };
  const config = smallVm(work, { memory: { size: 256 << 20 } });
  await spawnVmm({ ...options, directory: join(work, "from"), config });
  await spawnVmm({ ...options, directory: join(work, "to") });
}

async function sidesOf(
  work: string,
): Promise<{ from: ConnectedVmm; to: ConnectedVmm; url: string }> {
  const from = await connectVmm(join(work, "from"));
  const to = await connectVmm(join(work, "to"));
  return { from, to, url: `unix:${to.directory}/migration` };
}

/** By one call. */
export async function moveAtOnce(work: string): Promise<void> {
  const { from, to, url } = await sidesOf(work);
  const { state } = await migrateVm(from, to, { url });
  assert.equal(state, "Running");
}

/** By the parts, with what an engine would store. */
export async function moveInParts(work: string): Promise<void> {
  const { from, to, url } = await sidesOf(work);
  const stored = join(work, "since");
  await receiveVm(to, { url });
  if (!existsSync(stored)) {
    writeFileSync(stored, `${statSync(join(work, "from", "events")).size}`);
  }
  const since = Number(readFileSync(stored, "utf8"));
  // A VMM can end without its last events; then only the destination knows.
  const outcome = await sendVm(from, { url, since });
  const sent = await eventsOf(from);
  const expected = sent.includes("migration-finished") ? "moved" : "gone";
  assert.equal(outcome, expected, `${sent} | ${await eventsOf(to)}`);
  assert.equal(await arrivedVm(to), "Running");
}

/**
 * Moves the VM once more, and checks that it has moved once, and runs on.
 * Resolves to the moment before.
 */
export async function checkMove(work: string, move: Move): Promise<string> {
  const moment = await momentOf(work);
  await move(work);
  const { from, to } = await sidesOf(work);
  try {
    await from.exited;
    assert.equal((await to.client.vm.info()).state, "Running");
    const sent = await eventsOf(from);
    const expected = ["booted", "migration-started", "migration-finished"];
    const counted = sent.filter((name) => COUNTED.test(name));
    assert.deepEqual(counted, expected.slice(0, Math.max(counted.length, 2)));
    const received = await eventsOf(to);
    assert.deepEqual(received.filter((name) => COUNTED.test(name)), [
      "migration-receive-ready",
      "migration-receive-started",
      "migration-receive-finished",
    ]);
  } finally {
    await from.kill?.();
    await to.kill?.();
    for (const side of ["from", "to"]) {
      rmSync(join(work, side), { recursive: true });
    }
  }
  const left = readdirSync(work).filter((name) => name !== "since");
  assert.deepEqual(left.sort(), ["guest.elf", "tmp"]);
  return moment;
}

async function momentOf(work: string): Promise<string> {
  const { from } = await sidesOf(work);
  const sent = await eventsOf(from);
  if (sent.includes("migration-finished")) return "after the move";
  return sent.includes("migration-started") ? "in the move" : "before the send";
}

/** The events of which each is to come once, if at all. */
const COUNTED = /^(booted|rebooted|migration-(?!memory-iteration))/;

async function eventsOf({ events }: ConnectedVmm): Promise<string[]> {
  const names: string[] = [];
  for await (const { event } of events!({ ended: Promise.resolve() })) {
    names.push(event);
  }
  return names;
}
