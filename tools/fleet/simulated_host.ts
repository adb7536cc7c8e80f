/**
 * A host of examples/fleet whose VMMs are fakes in its own process, so that one
 * machine has room for hundreds of VMs. It takes the arguments of `host.ts`.
 */
import { mkdirSync } from "node:fs";
import process from "node:process";
import { options, serve, service } from "../../examples/fleet/service.ts";
import type { Host, Run } from "../../examples/fleet/services.ts";
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

const [id = "", directory = "", port = "", key = ""] = process.argv.slice(2);
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
  async mark(_, run) {
    let offset = 0;
    const { events } = await open(run);
    for await (const event of events!({ ended: Promise.resolve() })) {
      offset = event.offset;
    }
    return offset;
  },
  async send(_, { url, since, ...run }) {
    return await sendVm(await open(run), { url, since });
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
serve([service({ name: `host-${id}`, options, handlers })], port, key);
