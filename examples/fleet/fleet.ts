/** The VMs, the scheduler and the drain: `fleet.ts <port> <admin> <key>`. */
import type { VmConfig } from "@chv/cloud-hypervisor";
import * as restate from "@restatedev/restate-sdk";
import process from "node:process";
import { ask, placesOf, query } from "./engine.ts";
import { options, refusal, serve } from "./service.ts";
import type { Drain, Host, Place, Scheduler, Vm } from "./services.ts";

type Context = restate.ObjectContext;
type Hosts = Record<string, { room: number; open: boolean }>;
const [port = "", admin = "", key = ""] = process.argv.slice(2);

const schedulerSteps: Scheduler = {
  async change(ctx, { id, room = 0, open }) {
    const hosts = await ctx.get<Hosts>("hosts") ?? {};
    const old = hosts[id] ?? { room: 0, open: true };
    const host = { room: old.room + room, open: open ?? old.open };
    ctx.set("hosts", { ...hosts, [id]: host });
  },
  async take(ctx, not) {
    const hosts = await ctx.get<Hosts>("hosts") ?? {};
    const [best] = Object.entries(hosts)
      .filter(([id, { room, open }]) => open && room > 0 && id !== not)
      .sort(([, a], [, b]) => b.room - a.room);
    if (!best) throw refusal(507, "no host has room");
    const [id, host] = best;
    ctx.set("hosts", { ...hosts, [id]: { ...host, room: host.room - 1 } });
    return id;
  },
};
const scheduler = restate.object({
  name: "scheduler",
  options,
  handlers: schedulerSteps,
});

const vmSteps: Vm = {
  async create(ctx, config) {
    const place = await ctx.get<Place>("place");
    if (place) return place;
    ctx.set("config", config);
    return await boot(ctx);
  },
  async migrate(ctx) {
    const from = await placeOf(ctx);
    const to = await nextPlace(ctx, from.host);
    const [source, target] = [hostOf(ctx, from), hostOf(ctx, to)];
    const here = { vm: ctx.key, run: from.run };
    const there = { vm: ctx.key, run: to.run };
    let outcome: "moved" | "stayed" | "gone" = "stayed";
    await attempt(async () => {
      const url = await target.receive(there).orTimeout({ minutes: 1 });
      const since = await source.mark(here).orTimeout({ minutes: 1 });
      outcome = "gone"; // If the step is killed, the source says no more.
      outcome = await source.send({ ...here, url, since });
    });
    const arrived = outcome !== "stayed" &&
      await attempt(() => target.arrived(there).orTimeout({ minutes: 1 }));
    endRun(ctx, arrived ? from : to);
    if (arrived) ctx.set("place", to);
    if (arrived) return to;
    if (outcome === "stayed") throw refusal(409, `it stays on ${from.host}`);
    endRun(ctx, from);
    return await boot(ctx);
  },
  async heal(ctx, host) {
    const place = await placeOf(ctx);
    if (place.host !== host) return place;
    endRun(ctx, place);
    return await boot(ctx, host);
  },
  async remove(ctx) {
    endRun(ctx, await placeOf(ctx));
    ctx.clear("place");
  },
};
const vm = restate.object({ name: "vm", options, handlers: vmSteps });

const drainSteps: Drain = {
  async run(ctx, { host, lost = false }) {
    const change = { id: host, open: false };
    await ctx.objectClient(scheduler, "all").change(change);
    const places = await ctx.run(
      "list",
      async () => [...await placesOf(admin)],
    );
    const names = places.filter(([, place]) => place.host === host)
      .map(([name]) => name);
    while (names.length > 0) {
      const calls = names.splice(0, 4).map((name) => ctx.objectClient(vm, name))
        .map((vm) => lost ? vm.heal(host) : vm.migrate());
      const all = restate.RestatePromise.allSettled(calls);
      // Steps that wait for the lost host do not end by themselves.
      while (lost && !await attempt(() => all.orTimeout(500))) {
        await ctx.run("kill", () => killSteps(host));
      }
      await all;
    }
  },
};
const drain = restate.service({ name: "drain", options, handlers: drainSteps });

const hostOf = (ctx: Context, { host }: Place) =>
  ctx.serviceClient<Host>({ name: `host-${host}` });

/** Takes a host, and a number that no other run of the VM has. */
async function nextPlace(ctx: Context, not = ""): Promise<Place> {
  const host = await ctx.objectClient(scheduler, "all").take(not);
  const run = (await ctx.get<number>("runs") ?? 0) + 1;
  ctx.set("runs", run);
  return { host, run };
}

async function boot(ctx: Context, not?: string): Promise<Place> {
  const config = (await ctx.get<VmConfig>("config"))!;
  const place = await nextPlace(ctx, not);
  ctx.set("place", place);
  try {
    await hostOf(ctx, place).boot({ vm: ctx.key, run: place.run, config });
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

async function placeOf(ctx: Context): Promise<Place> {
  const place = await ctx.get<Place>("place");
  if (place) return place;
  throw refusal(404, `there is no VM "${ctx.key}"`);
}

/** Ends a run without waiting for its host, which may be away. */
function endRun(ctx: Context, { host, run }: Place): void {
  const client = ctx.serviceSendClient<Host>({ name: `host-${host}` });
  client.end({ vm: ctx.key, run });
  ctx.objectSendClient(scheduler, "all").change({ id: host, room: 1 });
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
    admin,
    `SELECT id FROM sys_invocation WHERE status != 'completed' AND
     target_service_name = 'host-${host}' AND target_handler_name != 'end'`,
  );
  for (const { id } of steps) await ask(admin, `PATCH invocations/${id}/kill`);
}

serve([scheduler, vm, drain], port, key);
