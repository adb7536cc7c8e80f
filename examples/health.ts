// Runs as it is where the packages are installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" and "npm:croner@11.0.1" in the imports.
import {
  type Client,
  CloudHypervisorError,
  createClient,
} from "@chv/cloud-hypervisor";
import { Cron } from "croner";
import process from "node:process";

/**
 * A periodic health check of running VMMs: pings each VMM and reads the state
 * of its VM. Exits with code 1 when a VMM is dead, and with code 0 on Ctrl-C or
 * SIGTERM. A VMM is slow when it does not answer within 2000 ms, or
 * `TIMEOUT_MS`, for example during a migration; three slow rounds in a row
 * count as dead. A cron pattern of six fields begins with the seconds.
 *
 *     deno run --allow-env --allow-read --allow-write --allow-net health.ts '0-59/10 * * * * *' <socket>…
 *     bun health.ts '0-59/10 * * * * *' <socket>…
 *     node health.ts '0-59/10 * * * * *' <socket>…
 */
const [pattern, ...paths] = process.argv.slice(2);
if (pattern === undefined || paths.length === 0) {
  console.error("usage: health.ts <cron pattern> <socket>…");
  process.exit(2);
}
const MEANINGS: { readonly [code: string]: string } = {
  refused: "dead: it crashed or was killed, and left its socket",
  socket_missing: "dead: it has ended, or never started",
  closed: "dead: it ended during the call",
  vmm_gone: "dead: it is ending",
  not_created: "has no VM",
};
const stop = new AbortController();
const slow = new Map<Client, number>();
const timeoutMs = Number(process.env["TIMEOUT_MS"] ?? 2000);
const clients = paths.map((path) => createClient(path, { timeoutMs }));

// The next round does not start before this one has ended.
const job = new Cron(pattern, { protect: true }, async () => {
  const dead = await Promise.all(clients.map(isDead));
  if (stop.signal.aborted || !dead.includes(true)) return;
  process.exitCode = 1;
  job.stop();
});
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.once(name, () => {
    job.stop();
    stop.abort();
  });
}

async function isDead(client: Client): Promise<boolean> {
  const { signal } = stop;
  let [status, times] = ["", 0];
  try {
    await client.vmm.ping({ signal });
    status = (await client.vm.info({ signal })).state;
  } catch (error) {
    if (signal.aborted) return false;
    if (!(error instanceof CloudHypervisorError)) throw error;
    if (error.code === "deadline") times = (slow.get(client) ?? 0) + 1;
    status = times > 0
      ? `${times < 3 ? "slow" : "dead: slow"}, ${times} in a row`
      : MEANINGS[error.code] ?? `dead: ${error.message}`;
  }
  slow.set(client, times);
  console.log(`${client.socketPath} ${status}`);
  return status.startsWith("dead");
}
