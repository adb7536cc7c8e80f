/**
 * Kills parts of a fleet by SIGKILL at random moments while its VMs move over a
 * slow link, and cuts transfers. Checks afterwards that each VM runs on one host
 * and was booted once: `deno task test:fleet --minutes 10`. The VMM is the fake,
 * or the program in `CLOUD_HYPERVISOR`.
 */
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { query, rpc } from "../../examples/fleet/engine.ts";
import type { Vm } from "../../examples/fleet/fleet.ts";
import { LocalFleet } from "../../examples/fleet/local.ts";
import type { Run } from "../../examples/fleet/service.ts";
import { randomFrom } from "../../tests/support/random.ts";
import { findFaults } from "./find_faults.ts";
import { configOf } from "./config.ts";
import type { LinkReport } from "./link.ts";
import { SlowLink } from "./slow_link.ts";

export interface ChaosOptions {
  readonly minutes: number;
  /** The number of VMs. */
  readonly vms: number;
  readonly seed: number;
}

/** The counts and the times of a run. */
export interface ChaosResult {
  readonly moved: number;
  readonly stayed: number;
  /** Kills by part; `cut` is a transfer that was cut. */
  readonly kills: Readonly<Record<string, number>>;
  /** The kills while at least one transfer was under way. */
  readonly killsInTransfers: number;
  /** The transfers that were under way at all kills together. */
  readonly transfersHit: number;
  readonly link: LinkReport;
  /** Milliseconds of each move, sorted. */
  readonly moveMs: readonly number[];
  /** The faults that remain; empty if all is well. */
  readonly faults: readonly string[];
}

const HOSTS = ["a", "b"];
const PARTS = [...HOSTS, "fleet", "engine", "link", "cut"];

/** Milliseconds for a chunk: the fake sends a few lines, a real VMM all memory. */
const CHUNK_MS = process.env["CLOUD_HYPERVISOR"] ? 1 : 600;
/** The guest of the fake, if nobody gives another one. */
const GUEST = { migrationMs: 500 };

/** Runs a fleet of two hosts for the given time. */
export async function runChaos(
  { minutes, vms, seed }: ChaosOptions,
): Promise<ChaosResult> {
  const random = randomFrom(seed);
  const names = Array.from({ length: vms }, (_, n) => `vm${n}`);
  const kills: Record<string, number> = {};
  const outcomes = { moved: 0, stayed: 0 };
  const moveMs: number[] = [];
  let killsInTransfers = 0;
  let transfersHit = 0;
  process.env["FAKE_VMM_GUEST"] ??= JSON.stringify(GUEST);
  return await LocalFleet.run(HOSTS, async (fleet) => {
    const config = configOf(fleet.directory);
    const link = new SlowLink(fleet.directory, CHUNK_MS);
    link.start();
    await Promise.all(names.map((name) => vmOf(fleet, name).create(config)));
    const faults: string[] = [];
    /** The boots in place of moves, by VM. */
    const boots = new Map<string, number>();
    const endsAt = performance.now() + minutes * 60_000;
    const isOver = () => performance.now() >= endsAt;
    const movers = names.map(async (name) => {
      for (let round = 0; !isOver(); round++) {
        const start = performance.now();
        const run = await move(fleet, name, `${name}-${round}`);
        outcomes[run === undefined ? "stayed" : "moved"]++;
        moveMs.push(performance.now() - start);
        // Each move takes one run, and a boot in its place another one.
        const expected = round + 2 + (boots.get(name) ?? 0);
        if (run === undefined || run === expected) continue;
        boots.set(name, run - round - 2);
        faults.push(`${name}: booted in place of move ${round}`);
      }
    });
    while (!isOver()) {
      const part = PARTS[Math.floor(random() * PARTS.length)]!;
      await pause(100 + random() * 1500);
      const { open } = link.report;
      if (part === "cut" && open === 0) continue;
      kills[part] = (kills[part] ?? 0) + 1;
      if (open > 0) killsInTransfers++;
      transfersHit += open;
      if (part === "cut") {
        link.cut();
        continue;
      }
      const target = part === "link" ? link : fleet;
      await target.kill(part);
      await pause(random() * 500);
      await target.start(part);
    }
    await Promise.all(movers);
    await waitUntilIdle(fleet);
    faults.push(...await findFaults(fleet, names));
    const count = await countBoots(fleet);
    if (count !== vms) faults.push(`${count} boots of ${vms} VMs`);
    moveMs.sort((a, b) => a - b);
    await link.kill();
    return {
      ...outcomes,
      kills,
      killsInTransfers,
      transfersHit,
      link: link.report,
      moveMs,
      faults,
    };
  });
}

function vmOf({ ingress }: LocalFleet, name: string) {
  return ingress.objectClient<Vm>({ name: "vm" }, name);
}

/**
 * Asks until there is an answer, with one key, so that the VM moves once.
 * Resolves to its new run; undefined if it stays.
 */
async function move(
  fleet: LocalFleet,
  name: string,
  idempotencyKey: string,
): Promise<number | undefined> {
  for (;;) {
    try {
      const opts = rpc.opts<void, Run>({ idempotencyKey });
      return (await vmOf(fleet, name).migrate(opts)).run;
    } catch (error) {
      if ((error as { status?: number }).status === 409) return undefined;
      await pause(100);
    }
  }
}

/** Waits for the steps that were sent without waiting. */
export async function waitUntilIdle(fleet: LocalFleet): Promise<void> {
  for (;; await pause(100)) {
    const pending = await query(
      fleet.engine,
      "SELECT id FROM sys_invocation WHERE status != 'completed'",
    );
    if (pending.length === 0) return;
  }
}

async function countBoots({ engine }: LocalFleet): Promise<number> {
  const boots = await query(
    engine,
    "SELECT id FROM sys_invocation WHERE target_handler_name = 'boot'",
  );
  return boots.length;
}
