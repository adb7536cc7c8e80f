/** The side of a migration that sends the VM. */
import { ApiError, VmmExitedError } from "../../errors/errors.ts";
import type { VmmEvent } from "../../events/mod.ts";
import type { SendMigrationData, VmState } from "../../generated/types.gen.ts";
import { UNKNOWN_EXIT } from "../../vmm/poll.ts";
import type { Vmm } from "../../vmm/vmm.ts";
import { waitForExit } from "../../vmm/wait_for_exit.ts";
import { AbortScope } from "../../wait/abort_scope.ts";
import { withGracePeriod } from "../../wait/grace_period.ts";
import { whenMemoryIsFilled } from "../memory_fill.ts";
import { type MigrationSideState, readSideState } from "./error.ts";

/** Called with each event of the source's VM. */
export type OnSourceEvent = (event: VmmEvent) => "go on" | "finished";

export class Sender {
  readonly #vmm: Vmm;
  readonly #state: VmState;
  /** Ends the reading of the source's events. */
  readonly #reading = new AbortController();
  #outcome: Promise<void> | undefined;

  /** The VM has `state` before the migration. */
  constructor(vmm: Vmm, state: VmState) {
    this.#vmm = vmm;
    this.#state = state;
  }

  /**
   * Begins to read the events. The listener throws when the source has failed;
   * `onEnd` is called when the events end without an outcome.
   */
  watch(onEvent: OnSourceEvent, onEnd: () => Promise<boolean>): void {
    const { signal } = this.#reading;
    const events = this.#vmm.events!({ from: "now", signal });
    this.#outcome = this.#watchEvents(events, onEvent, onEnd);
    this.#outcome.catch(() => {});
  }

  async #watchEvents(
    events: AsyncIterable<VmmEvent>,
    onEvent: OnSourceEvent,
    onEnd: () => Promise<boolean>,
  ): Promise<void> {
    for await (const event of events) {
      if (event.source === "vm" && onEvent(event) === "finished") return;
    }
    if (!this.#reading.signal.aborted && await onEnd()) return;
    const { socketPath } = this.#vmm.client;
    const exit = await this.#vmm.exited ?? UNKNOWN_EXIT;
    throw new VmmExitedError(exit, { socketPath });
  }

  async send(body: SendMigrationData, signal: AbortSignal): Promise<void> {
    try {
      const { vm } = this.#vmm.client;
      const send = () => vm.sendMigration(body, { signal });
      await whenMemoryIsFilled(this.#vmm, send, { signal });
    } catch (error) {
      // Nothing has begun, so no event about an outcome will come.
      if (error instanceof ApiError) this.#outcome = undefined;
      throw error;
    }
  }

  /** Resolves when the source has finished, and rejects when it has failed. */
  get outcome(): Promise<void> | undefined {
    return this.#outcome;
  }

  /** Waits for the outcome or the end of the source, within a grace period. */
  async waitForOutcome(): Promise<void> {
    await withGracePeriod((scope) =>
      Promise.race([this.#outcome, waitForExit(this.#vmm, scope)])
    );
  }

  /** Resolves when the source's process has ended, however long that takes. */
  async exited(): Promise<void> {
    const scope = new AbortScope({ signal: this.#reading.signal });
    try {
      await waitForExit(this.#vmm, scope);
    } finally {
      scope.close();
    }
  }

  /** Tells whether the source has the VM; a paused one may be a copy. */
  async hasVm(isCopied: boolean): Promise<boolean> {
    const state = await readSideState(this.#vmm.client);
    return state === this.#state && (state === "Running" || !isCopied);
  }

  /** Resumes the VM that the migration has paused; resolves to its state. */
  async restore(): Promise<MigrationSideState> {
    const { client } = this.#vmm;
    const state = await readSideState(client);
    if (state !== "Paused" || this.#state !== "Running") return state;
    await client.vm.resume().catch(() => {});
    return await readSideState(client);
  }

  /** Stops reading events. */
  close(): void {
    this.#reading.abort();
  }
}
