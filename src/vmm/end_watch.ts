/** Watches for the end of a VMM of which the script knows no process. */
import type { Client } from "../client/create_client.ts";
import { DeadlineError } from "../errors/errors.ts";
import type { EndWatch } from "../events/read.ts";
import { AbortScope } from "../wait/abort_scope.ts";
import { isGone } from "./wait_for_exit.ts";

interface Watch {
  readonly ended: Promise<void>;
  readonly scope: AbortScope;
  users: number;
}

/**
 * Asks the VMM now and then, until nothing listens on its socket. All watches
 * of one client share the requests. Call `stop` when the end does not matter
 * any more.
 */
export function watchEnd(client: Client): EndWatch {
  const watch = watches.get(client) ?? start(client);
  watch.users++;
  let isStopped = false;
  return {
    ended: watch.ended,
    stop() {
      if (isStopped) return;
      isStopped = true;
      watch.users--;
      if (watch.users > 0) return;
      watches.delete(client);
      watch.scope.close();
    },
  };
}

const watches = new WeakMap<Client, Watch>();

function start(client: Client): Watch {
  const scope = new AbortScope({});
  const ended = waitForEnd(client, scope);
  // It rejects only when nobody watches any more.
  ended.catch(() => {});
  const watch = { ended, scope, users: 0 };
  watches.set(client, watch);
  return watch;
}

async function waitForEnd(client: Client, scope: AbortScope): Promise<void> {
  let failures = 0;
  let pauseMs = INTERVAL_MS;
  // A VMM that is starting has its event file before its socket, so one
  // failure does not count.
  while (failures < 2) {
    await scope.pause(pauseMs);
    pauseMs = INTERVAL_MS;
    try {
      await client.vmm.ping({ signal: scope.signal, timeoutMs: PING_MS });
      failures = 0;
    } catch (error) {
      scope.signal.throwIfAborted();
      failures = isGone(error) ? failures + 1 : 0;
      if (failures > 0) pauseMs = AGAIN_MS;
      // The VMM answers nobody during some operations.
      if (error instanceof DeadlineError) pauseMs = BUSY_MS;
    }
  }
}

const INTERVAL_MS = 1000;
const AGAIN_MS = 250;
const BUSY_MS = 5000;
const PING_MS = 2000;
