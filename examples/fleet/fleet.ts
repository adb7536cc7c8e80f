/** The VMs, the scheduler and the drain: `fleet.ts <port> <key> <engine>`. */
import type { VmConfig } from "@chv/cloud-hypervisor";
import * as restate from "@restatedev/restate-sdk";
import process from "node:process";
import { ask, placesOf, query } from "./engine.ts";
import type { Host } from "./host.ts";
import { refusal, type Run, serve } from "./service.ts";

type Context = restate.ObjectContext;
type Hosts = Record<string, { room: number; open: boolean }>;
type Change = { id: string; room?: number; open?: boolean };
type Order = { host: string; lost?: boolean };
const [port = "", key = "", engine = ""] = process.argv.slice(2);

/** The room of the hosts; its key is `all`. */
const scheduler = restate.object({
  name: "scheduler",
  handlers: {
    /** Adds a host, gives it more room, or opens or closes it. */
    async change(ctx: Context, { id, room = 0, open }: Change) {
      const hosts = await ctx.get<Hosts>("hosts") ?? {};
      const old = hosts[id] ?? { room: 0, open: true };
      const host = { room: old.room + room, open: open ?? old.open };
      ctx.set("hosts", { ...hosts, [id]: host });
    },
    /** Takes a place on the open host with the most room. */
    async take(ctx: Context, not: string) {
      const hosts = await ctx.get<Hosts>("hosts") ?? {};
      const [best] = Object.entries(hosts)
        .filter(([id, { room, open }]) => open && room > 0 && id !== not)
        .sort(([, a], [, b]) => b.room - a.room);
      if (!best) throw refusal(507, "no host has room");
      const [id, host] = best;
      ctx.set("hosts", { ...hosts, [id]: { ...host, room: host.room - 1 } });
      return id;
    },
  },
});
export type Scheduler = typeof scheduler;

/** A VM, keyed by name: one thing at a time. */
const vm = restate.object({
  name: "vm",
  handlers: {
    async create(ctx: Context, config: VmConfig) {
      const place = await ctx.get<Run>("place");
      if (place) return place;
      ctx.set("config", config);
      return await boot(ctx);
    },
    /** Moves the VM to another host. */
    async migrate(ctx: Context) {
      const from = await placeOf(ctx);
      const to = await nextRun(ctx, from.host);
      const [source, target] = [hostOf(ctx, from), hostOf(ctx, to)];
      let outcome = "stayed";
      await attempt(async () => {
        const url = await target.receive(to).orTimeout({ minutes: 5 });
        outcome = "gone"; // If the step is killed, the source says no more.
        outcome = await source.send({ ...from, url });
      });
      const arrived = outcome === "moved" ||
        outcome === "gone" && await attempt(() => target.arrived(to));
      endRun(ctx, arrived ? from : to);
      if (arrived) ctx.set("place", to);
      if (arrived) return to;
      if (outcome === "stayed") throw refusal(409, `it stays on ${from.host}`);
      endRun(ctx, from);
      return await boot(ctx);
    },
    /** Boots the VM anew on another host. Its host must be switched off. */
    async heal(ctx: Context, host: string) {
      const place = await placeOf(ctx);
      if (place.host !== host) return place;
      endRun(ctx, place);
      return await boot(ctx, host);
    },
    async remove(ctx: Context) {
      endRun(ctx, await placeOf(ctx));
      ctx.clear("place");
    },
  },
});
export type Vm = typeof vm;

/** Moves the VMs of a host, or boots them elsewhere if the host is lost. */
const drain = restate.service({
  name: "drain",
  handlers: {
    async run(ctx: restate.Context, { host, lost }: Order) {
      const change = { id: host, open: false };
      await ctx.objectClient(scheduler, "all").change(change);
      const all = await ctx.run("list", () => placesOf(engine));
      // Any VM may be on its way to a lost host: all are asked.
      const places = all.filter((place) => lost || place.host === host);
      while (places.length > 0) {
        const calls = places.splice(0, 4)
          .map((place) => ctx.objectClient(vm, place.vm))
          .map((vm) => lost ? vm.heal(host) : vm.migrate());
        const ended = restate.RestatePromise.allSettled(calls);
        // Steps that wait for the lost host do not end by themselves.
        while (lost && !await attempt(() => ended.orTimeout(500))) {
          await ctx.run("kill", () => killSteps(host));
        }
        await ended;
      }
    },
  },
});
export type Drain = typeof drain;

const hostOf = (ctx: Context, { host }: Run) =>
  ctx.serviceClient<Host>({ name: `host-${host}` });

/** Takes a host, and a number that no other run of the VM has. */
async function nextRun(ctx: Context, not = ""): Promise<Run> {
  const host = await ctx.objectClient(scheduler, "all").take(not);
  const run = (await ctx.get<number>("runs") ?? 0) + 1;
  ctx.set("runs", run);
  return { vm: ctx.key, host, run };
}

async function boot(ctx: Context, not?: string): Promise<Run> {
  const config = (await ctx.get<VmConfig>("config"))!;
  const place = await nextRun(ctx, not);
  ctx.set("place", place);
  try {
    await hostOf(ctx, place).boot({ ...place, config });
  } catch (error) {
    // The VMM refused the VM. (If the step was killed, the VM may run.)
    if (error instanceof restate.TerminalError && error.code === 422) {
      endRun(ctx, place);
      ctx.clear("place");
    }
    throw error;
  }
  return place;
}

async function placeOf(ctx: Context): Promise<Run> {
  const place = await ctx.get<Run>("place");
  if (place) return place;
  throw refusal(404, `there is no VM "${ctx.key}"`);
}

/** Ends a run without waiting for its host, which may be away. */
function endRun(ctx: Context, run: Run): void {
  ctx.serviceSendClient<Host>({ name: `host-${run.host}` }).end(run);
  const change = { id: run.host, room: 1 };
  ctx.objectSendClient(scheduler, "all").change(change);
}

/** Undefined after a terminal error, such as that of a step that was killed. */
async function attempt<T>(act: () => PromiseLike<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof restate.TerminalError)) throw error;
  }
}

/** Kills the steps of a lost host, but not `end`, which waits for it. */
async function killSteps(host: string): Promise<void> {
  const steps = await query<{ id: string }>(
    engine,
    `SELECT id FROM sys_invocation WHERE status != 'completed' AND
     target_service_name = 'host-${host}' AND target_handler_name != 'end'`,
  );
  for (const { id } of steps) await ask(engine, `PATCH invocations/${id}/kill`);
}

serve([scheduler, vm, drain], port, key);
