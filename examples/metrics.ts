// Copied out of the repository, import "jsr:@chv/cloud-hypervisor" and "npm:prom-client@15.1.3".
import { ApiError, type Client, createClient } from "@chv/cloud-hypervisor";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { Counter, Gauge, Registry } from "prom-client";

/**
 * `http://127.0.0.1:PORT/metrics` for Prometheus, 9100 unless `PORT` says
 * otherwise, 0 for any: whether each VMM answers, its VM's state, and the
 * counters of its devices. Ctrl-C ends it.
 *
 *     deno run --allow-env --allow-read --allow-write --allow-net metrics.ts <socket>…
 *     bun metrics.ts <socket>…
 *     node metrics.ts <socket>…
 *
 * Counters are 64-bit, Prometheus' values floats: above 2^53 they lose their
 * last bits, less than 1 part in 10^15, which no rate shows. A latency of a
 * device that did nothing yet is 2^64-1, which would be 600,000 years to
 * every `max()`: there is no sample until there is an operation.
 */
const clients = process.argv.slice(2).map((path) =>
  createClient(path, { timeoutMs: 3000 })
);
if (clients.length === 0) {
  console.error("usage: metrics.ts <socket>…");
  process.exit(2);
}

const server = createServer(async (_, response) => {
  // The VMM does the counting, so that each scrape starts from nothing.
  const registry = new Registry();
  await Promise.all(clients.map((client) => scrape(client, registry)));
  response.setHeader("Content-Type", registry.contentType);
  response.end(await registry.metrics());
});
server.listen(Number(process.env["PORT"] ?? 9100), "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(`http://127.0.0.1:${port}/metrics`);
});

async function scrape(client: Client, registry: Registry): Promise<void> {
  const vm = client.socketPath;
  const add = (
    Metric: typeof Counter | typeof Gauge,
    name: string,
    value: number,
    labels = {},
  ): void => {
    const of = { vm, ...labels };
    const labelNames = Object.keys(of);
    const options = { name, help: name, labelNames, registers: [registry] };
    const known = registry.getSingleMetric(name) as Counter | undefined;
    (known ?? new Metric(options)).inc(of, value);
  };
  try {
    const { state } = await client.vm.info();
    add(Gauge, "chv_vm_state", 1, { state });
    for (
      const [device, counters] of Object.entries(await client.vm.counters())
    ) {
      for (const [counter, value = 0n] of Object.entries(counters)) {
        const name = `chv_device_${counter}`;
        if (!counter.includes("latency")) {
          add(Counter, `${name}_total`, Number(value), { device });
        } else if (counters[`${counter.split("_")[0]}_ops`] !== 0n) {
          add(Gauge, name, Number(value), { device });
        }
      }
    }
    add(Gauge, "chv_up", 1);
  } catch (error) {
    // A VMM that refuses is there: it has no VM, or one that does not run.
    add(Gauge, "chv_up", error instanceof ApiError ? 1 : 0);
    console.error(String(error));
  }
}
