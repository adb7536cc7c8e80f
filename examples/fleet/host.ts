/** The agent of a host: `host.ts <id> <directory> <port> <key>`. */
import type { VmConfig } from "@chv/cloud-hypervisor";
import { readEvents } from "@chv/cloud-hypervisor/events";
import { connectVmm, spawnVmm } from "@chv/cloud-hypervisor/process";
import { fakeUnlessInstalled } from "@chv/cloud-hypervisor/testing";
import * as workflows from "@chv/cloud-hypervisor/workflows";
import * as restate from "@restatedev/restate-sdk";
import * as fs from "node:fs";
import process from "node:process";
import { options, refusal, serve } from "./service.ts";
import type { Host, Run } from "./services.ts";

const [id = "", directory = "", port = "", key = ""] = process.argv.slice(2);
const program = fakeUnlessInstalled({ files: "any" });
const pathOf = ({ vm, run }: Run): string => `${directory}/${vm}.${run}`;

/** Starts the VMM of a run, or finds it: it outlives this agent. */
function start(run: Run) {
  const isOver = fs.existsSync(`${pathOf(run)}.ended`);
  if (isOver) throw refusal(410, "the run has ended");
  return spawnVmm({ ...program, detach: true, directory: pathOf(run) });
}

/** Queues the steps of a run: an attempt that was given up may still act. */
function queued<S extends Run, Result>(act: (step: S) => Promise<Result>) {
  return (_: restate.Context, step: S): Promise<Result> => {
    const before = queues.get(pathOf(step)) ?? Promise.resolve();
    const result = before.catch(() => {}).then(() => act(step));
    queues.set(pathOf(step), result);
    return result;
  };
}

const queues = new Map<string, Promise<unknown>>();

/** Each step may be asked twice: the VMM itself says how far it came. */
const handlers: Host = {
  boot: queued(async (step: Run & { config: VmConfig }) => {
    await workflows.ensureVm(await start(step), step.config);
  }),
  receive: queued(async (step) => {
    const url = `unix:${pathOf(step)}/migration`;
    await workflows.receiveVm(await start(step), { url, timeoutMs: 60_000 });
    return url;
  }),
  async mark(_, step) {
    let offset = 0;
    const soFar = { ended: Promise.resolve() };
    for await (const event of readEvents(`${pathOf(step)}/events`, soFar)) {
      offset = event.offset;
    }
    return offset;
  },
  async send(context, { url, since, ...run }) {
    const signal = context.request().attemptCompletedSignal;
    const vmm = await connectVmm(pathOf(run));
    return await workflows.sendVm(vmm, { url, since, signal });
  },
  async arrived(_, step) {
    const vmm = await connectVmm(pathOf(step));
    return await workflows.arrivedVm(vmm) !== undefined;
  },
  end: queued(async (step) => {
    fs.writeFileSync(`${pathOf(step)}.ended`, "");
    if (!fs.existsSync(pathOf(step))) return;
    await (await connectVmm(pathOf(step))).kill?.();
    fs.rmSync(pathOf(step), { recursive: true, force: true });
  }),
};

fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
const service = restate.service({ name: `host-${id}`, options, handlers });
serve([service], port, key);
