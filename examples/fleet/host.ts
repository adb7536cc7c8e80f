/** The agent of a host: `host.ts <port> <key> <id> <directory>`. */
import { DeadlineError, type VmConfig } from "@chv/cloud-hypervisor";
import { connectVmm, spawnVmm } from "@chv/cloud-hypervisor/process";
import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
import * as workflows from "@chv/cloud-hypervisor/workflows";
import * as restate from "@restatedev/restate-sdk";
import * as fs from "node:fs";
import process from "node:process";
import { refusal, type Run, serve } from "./service.ts";

type Context = restate.Context;
const [port = "", key = "", id = "", directory = ""] = process.argv.slice(2);
const program = fakeUnlessInstalled({ files: "any" });
const pathOf = ({ vm, run }: Run) => `${directory}/${vm}.${run}`;
const queues = new Map<string, Promise<unknown>>();

/** The steps of a host. Each may be asked twice: the VMM says how far it is. */
const handlers = {
  boot: queued(async (step: Run & { config: VmConfig }) => {
    await workflows.ensureVm(await start(step), step.config);
  }),
  /** Resolves to the URL on which the run waits for its VM. */
  receive: queued(async (step) => {
    const url = `unix:${pathOf(step)}/migration`;
    await workflows.receiveVm(await start(step), { url, timeoutMs: 60_000 });
    return url;
  }),
  async send(ctx: Context, { url, ...run }: Run & { url: string }) {
    // Events behind this mark belong to this migration.
    const events = `${pathOf(run)}/events`;
    const since = await ctx.run("mark", () => fs.statSync(events).size);
    const signal = ctx.request().attemptCompletedSignal;
    const vmm = await connectVmm(pathOf(run));
    return await workflows.sendVm(vmm, { url, since, signal });
  },
  async arrived(_: Context, step: Run) {
    const vmm = await connectVmm(pathOf(step));
    try {
      return !!await workflows.arrivedVm(vmm, { timeoutMs: 60_000 });
    } catch (error) {
      // A VMM that lost its source in the middle never answers again.
      if (error instanceof DeadlineError) return false;
      throw error;
    }
  },
  end: queued(async (step) => {
    fs.writeFileSync(`${pathOf(step)}.ended`, "");
    if (!fs.existsSync(pathOf(step))) return;
    await (await connectVmm(pathOf(step))).kill?.();
    fs.rmSync(pathOf(step), { recursive: true, force: true });
  }),
};
export type Host = typeof handlers;

/** Starts the VMM of a run, or finds it: it outlives this agent. */
function start(run: Run) {
  const isOver = fs.existsSync(`${pathOf(run)}.ended`);
  if (isOver) throw refusal(410, "the run has ended");
  return spawnVmm({ ...program, detach: true, directory: pathOf(run) });
}

/** Queues the steps of a run: an attempt that was given up may still act. */
function queued<Step extends Run, T>(act: (step: Step) => Promise<T>) {
  return (_: Context, step: Step): Promise<T> => {
    const before = queues.get(pathOf(step)) ?? Promise.resolve();
    const result = before.catch(() => {}).then(() => act(step));
    queues.set(pathOf(step), result);
    return result;
  };
}

fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
serve([restate.service({ name: `host-${id}`, handlers })], port, key);
