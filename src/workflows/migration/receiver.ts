/** The side of a migration that listens. */
import { existsSync } from "node:fs";
import { connect } from "node:net";
import type { ReceiveMigrationData } from "../../generated/types.gen.ts";
import type { AbortScope } from "../../wait/abort_scope.ts";
import { waitForEvent } from "../../vmm/wait_for_event.ts";
import type { Vmm } from "../../vmm/vmm.ts";

export class Receiver {
  readonly #vmm: Vmm;
  readonly #url: string;
  /** Resolves to why it ended: undefined when the VM has arrived. */
  readonly ended: Promise<{ failure?: unknown }>;
  readonly #ready: Promise<void>;
  #state: "open" | "arrived" | "failed" = "open";

  /** Sends the call, which stays open until a VM has come. */
  constructor(vmm: Vmm, body: ReceiveMigrationData, scope: AbortScope) {
    this.#vmm = vmm;
    this.#url = body.receiver_url;
    this.#ready = this.#listening(scope);
    this.#ready.catch(() => {});
    this.ended = vmm.client.vm.receiveMigration(body)
      .then(() => {
        this.#state = "arrived";
        return {};
      }, (failure: unknown) => {
        this.#state = "failed";
        return { failure };
      });
  }

  /** Whether the VM has come, or will not; open while it may. */
  get state(): "open" | "arrived" | "failed" {
    return this.#state;
  }

  /** Resolves when it listens. To try would be to connect, and it takes one. */
  async ready(scope: AbortScope): Promise<void> {
    const failed = this.ended.then(({ failure }) => {
      throw failure ?? new Error("nothing was received");
    });
    await scope.race(Promise.race([this.#ready, failed]));
  }

  /**
   * Makes the VMM stop listening, by a peer that hangs up; again until it has
   * stopped, since it may not listen yet. Where one has come already, this
   * changes nothing.
   */
  async release(scope: AbortScope): Promise<void> {
    while (this.#state === "open") {
      await this.#knock();
      await scope.pause(KNOCK_MS, this.ended);
    }
  }

  async #knock(): Promise<void> {
    await new Promise<void>((resolve) => {
      const socket = connect(addressOf(this.#url));
      socket.once("connect", () => socket.destroy());
      socket.once("error", () => {});
      socket.once("close", () => resolve());
    });
  }

  async #listening(scope: AbortScope): Promise<void> {
    if (this.#vmm.events) {
      const event = { source: "vm", event: "migration-receive-ready" } as const;
      await waitForEvent(this.#vmm, event, { signal: scope.signal });
      return;
    }
    const { path } = addressOf(this.#url) as { path: string };
    while (!existsSync(path)) await scope.pause(POLL_MS);
  }
}

/** Where a migration's URL leads. */
export function addressOf(
  url: string,
): { path: string } | { host: string; port: number } {
  if (url.startsWith("unix:")) return { path: url.slice("unix:".length) };
  const [, host = "", port] = /^tcp:(.*):(\d+)$/.exec(url) ?? [];
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port) };
}

const POLL_MS = 5;
const KNOCK_MS = 50;
