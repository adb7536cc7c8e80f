// Copied out of the repository, import "jsr:@chv/cloud-hypervisor" and "npm:croner@11.0.1".
import {
  type Client,
  CloudHypervisorError,
  createClient,
} from "@chv/cloud-hypervisor";
import { Cron } from "croner";
import process from "node:process";

/**
 * A health check by the clock: pings each VMM and asks for its VM. It ends with
 * code 1 when one is dead, so that what runs it can act, and with 0 on Ctrl-C
 * or SIGTERM. A VMM that is only slow, as in a migration, is dead after three
 * rounds of it; slow is more than `TIMEOUT_MS`, else 2000. A pattern of six
 * fields begins with the seconds.
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
  closed: "dead: it ended while it was asked",
  vmm_gone: "dead: it is ending",
  not_created: "has no VM",
};
const stop = new AbortController();
const slow = new Map<Client, number>();
const timeoutMs = Number(process.env["TIMEOUT_MS"] ?? 2000);
const clients = paths.map((path) => createClient(path, { timeoutMs }));

// A round that takes longer than its turn is not overtaken by the next.
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
  let [what, times] = ["", 0];
  try {
    await client.vmm.ping({ signal });
    what = (await client.vm.info({ signal })).state;
  } catch (error) {
    if (signal.aborted) return false;
    // A socket that may not be used, say, is this script's own fault.
    if (!(error instanceof CloudHypervisorError)) throw error;
    if (error.code === "deadline") times = (slow.get(client) ?? 0) + 1;
    what = times > 0
      ? `${times < 3 ? "slow" : "dead: slow"}, ${times} in a row`
      : MEANINGS[error.code] ?? `dead: ${error.message}`;
  }
  slow.set(client, times);
  console.log(`${client.socketPath} ${what}`);
  return what.startsWith("dead");
}
