/** The side of a migration that receives the VM. */
import { existsSync } from "node:fs";
import { connect } from "node:net";
import type { ReceiveMigrationData } from "../../generated/types.gen.ts";
import type { AbortScope } from "../../wait/abort_scope.ts";
import { waitForEvent } from "../../vmm/wait_for_event.ts";
import type { Vmm } from "../../vmm/vmm.ts";

export class Receiver {
  readonly #vmm: Vmm;
  readonly #url: string;
  /** Resolves to the reason of the end: undefined when the VM has arrived. */
  readonly ended: Promise<{ failure?: unknown }>;
  readonly #listening: Promise<void>;
  #state: "open" | "arrived" | "failed" = "open";

  /** Sends the call, which stays open until a VM has arrived. */
  constructor(vmm: Vmm, body: ReceiveMigrationData, scope: AbortScope) {
    this.#vmm = vmm;
    this.#url = body.receiver_url;
    this.#listening = this.#waitUntilListening(scope);
    this.#listening.catch(() => {});
    this.ended = vmm.client.vm.receiveMigration(body)
      .then(() => {
        this.#state = "arrived";
        return {};
      }, (failure: unknown) => {
        this.#state = "failed";
        return { failure };
      });
  }

  /** `open` until the VM has arrived or will never arrive. */
  get state(): "open" | "arrived" | "failed" {
    return this.#state;
  }

  /**
   * Resolves when the VMM listens. The listener cannot be probed by connecting:
   * it accepts one connection only.
   */
  async ready(scope: AbortScope): Promise<void> {
    const failed = this.ended.then(({ failure }) => {
      throw failure ?? new Error("the destination ended without a VM");
    });
    await scope.race(Promise.race([this.#listening, failed]));
  }

  /**
   * Makes the VMM stop listening, by a peer that hangs up. Repeats that until
   * the call has ended, since the VMM may not listen yet. After the source has
   * connected, this changes nothing.
   */
  async stop(scope: AbortScope): Promise<void> {
    while (this.#state === "open") {
      await this.#connectAndHangUp();
      await scope.pause(STOP_INTERVAL_MS, this.ended);
    }
  }

  async #connectAndHangUp(): Promise<void> {
    await new Promise<void>((resolve) => {
      const socket = connect(addressOf(this.#url));
      socket.once("connect", () => socket.destroy());
      socket.once("error", () => {});
      socket.once("close", () => resolve());
    });
  }

  async #waitUntilListening(scope: AbortScope): Promise<void> {
    if (this.#vmm.events) {
      const event = { source: "vm", event: "migration-receive-ready" } as const;
      await waitForEvent(this.#vmm, event, { signal: scope.signal });
      return;
    }
    const { path } = addressOf(this.#url) as { path: string };
    while (!existsSync(path)) await scope.pause(POLL_MS);
  }
}

function addressOf(
  url: string,
): { path: string } | { host: string; port: number } {
  if (url.startsWith("unix:")) return { path: url.slice("unix:".length) };
  const [, host = "", port] = /^tcp:(.*):(\d+)$/.exec(url) ?? [];
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port) };
}

const POLL_MS = 5;
const STOP_INTERVAL_MS = 50;
