/** Waits until a new VMM can be used. */
import { existsSync } from "node:fs";
import type { Client } from "../client/create_client.ts";
import {
  DeadlineError,
  type VmmExit,
  VmmExitedError,
} from "../errors/errors.ts";
import { goalTimedOut } from "../vmm/goal.ts";
import { pollUntil } from "../vmm/poll.ts";
import { infoOf } from "../vmm/vm_info.ts";
import type { Vmm } from "../vmm/vmm.ts";
import { waitForVmm } from "../vmm/wait_for.ts";
import { AbortScope } from "../wait/abort_scope.ts";
import type { Child } from "./child.ts";
import type { SpawnVmmOptions } from "./options.ts";

/**
 * Resolves when the VMM answers.
 *
 * @throws {VmmExitedError} when the VMM ended, or did not answer in time.
 */
export async function waitUntilReady(
  child: Child,
  client: Client,
  { timeoutMs = DEFAULT_TIMEOUT_MS, signal }: SpawnVmmOptions,
): Promise<void> {
  const { exited } = child;
  const { socketPath } = client;
  const goal = { subject: "VMM", unmet: "does not answer" } as const;
  const scope = new AbortScope(
    { timeoutMs, signal },
    (ms) => goalTimedOut(goal, ms, socketPath),
  );
  try {
    scope.abortOnSettled(
      exited,
      (exit: VmmExit) => new VmmExitedError(exit, { socketPath }),
    );
    // The first call loads the transport while the VMM starts.
    client.vmm.ping({ signal: scope.signal }).catch(() => {});
    let ms = 1;
    while (!existsSync(socketPath)) {
      await scope.pause(ms);
      ms = Math.min(ms * 1.1, 50);
    }
    await waitForVmm({ client, exited }, { signal: scope.signal });
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    child.signal("SIGKILL");
    throw new VmmExitedError(await exited, { socketPath, cause: error });
  } finally {
    scope.close();
  }
}

/**
 * Resolves when the VM of the command line is booted or restored. If that
 * fails, the VMM ends.
 */
export async function waitUntilVmStarted(
  vmm: Vmm,
  { timeoutMs = DEFAULT_TIMEOUT_MS, signal }: SpawnVmmOptions,
): Promise<void> {
  await pollUntil(vmm, {
    goal: { subject: "VM", unmet: "of the command line has not started" },
    async probe(signal) {
      const info = await infoOf(vmm.client.vm, { signal });
      return info === undefined || info.state === "Created" ? undefined : info;
    },
  }, { timeoutMs, signal });
}

const DEFAULT_TIMEOUT_MS = 30_000;
