// Runs as it is where the packages are installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" and "npm:prom-client@15.1.3" in the imports.
import { ApiError, type Client, createClient } from "@chv/cloud-hypervisor";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { Counter, Gauge, Registry } from "prom-client";

/**
 * Serves `http://127.0.0.1:PORT/metrics` for Prometheus: whether each VMM
 * answers, the state of its VM, and the counters of its devices. `PORT` is 9100
 * by default; 0 takes any free port. Ctrl-C ends the script.
 *
 *     deno run --allow-env --allow-read --allow-write --allow-net metrics.ts <socket>…
 *     bun metrics.ts <socket>…
 *     node metrics.ts <socket>…
 *
 * Counters are 64-bit integers and Prometheus stores floats: above 2^53 a value
 * loses its last bits, less than 1 part in 10^15, too little to see in a rate.
 * The latency of a device without any operation is 2^64-1 µs (600,000 years),
 * so such a latency is left out.
 */
const clients = process.argv.slice(2).map((path) =>
  createClient(path, { timeoutMs: 3000 })
);
if (clients.length === 0) {
  console.error("usage: metrics.ts <socket>…");
  process.exit(2);
}

const server = createServer(async (_, response) => {
  // The VMM keeps the counters, so each scrape uses a new registry.
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
    // A VMM that refuses the call is up: it has no VM, or the VM does not run.
    add(Gauge, "chv_up", error instanceof ApiError ? 1 : 0);
    console.error(String(error));
  }
}
