/**
 * A host of examples/fleet whose VMMs are fakes in its own process, so that one
 * machine has room for hundreds of VMs. It takes the arguments of `host.ts`.
 */
import { mkdirSync } from "node:fs";
import process from "node:process";
import type { Host } from "../../examples/fleet/host.ts";
import { type Run, serve, service } from "../../examples/fleet/service.ts";
import { createClient } from "../../mod.ts";
import { readEvents } from "../../src/events/mod.ts";
import {
  arrivedVm,
  ensureVm,
  receiveVm,
  sendVm,
  type Vmm,
} from "../../src/workflows/mod.ts";
import { FakeVmm } from "../../testing/mod.ts";

const [port = "", key = "", id = "", directory = ""] = process.argv.slice(2);
const vmms = new Map<string, { fake: FakeVmm; vmm: Vmm }>();
const pathOf = ({ vm, run }: Run): string => `${directory}/${vm}.${run}`;

async function open(run: Run): Promise<Vmm> {
  const path = pathOf(run);
  const known = vmms.get(path);
  if (known) return known.vmm;
  const eventsPath = `${path}.events`;
  const socketPath = `${path}.sock`;
  const fake = await FakeVmm.start({ files: "any", socketPath, eventsPath });
  const client = createClient(socketPath);
  const vmm = {
    client,
    events: (options = {}) => readEvents(eventsPath, options),
  } satisfies Vmm;
  vmms.set(path, { fake, vmm });
  return vmm;
}

const handlers: Host = {
  async boot(_, { config, ...run }) {
    await ensureVm(await open(run), config);
  },
  async receive(_, run) {
    const url = `unix:${pathOf(run)}.migration`;
    await receiveVm(await open(run), { url });
    return url;
  },
  async send(_, { url, ...run }) {
    return await sendVm(await open(run), { url });
  },
  async arrived(_, run) {
    return await arrivedVm(await open(run)) !== undefined;
  },
  async end(_, run) {
    const known = vmms.get(pathOf(run));
    vmms.delete(pathOf(run));
    await known?.fake.close();
  },
};

mkdirSync(directory, { recursive: true, mode: 0o700 });
serve([service({ name: `host-${id}`, handlers })], port, key);
