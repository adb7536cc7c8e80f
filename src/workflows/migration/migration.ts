/** One migration, from its preparation to its outcome or its rollback. */
import type { VmInfo, VmState } from "../../generated/types.gen.ts";
import type { VmmEvent } from "../../events/mod.ts";
import type { AbortScope } from "../../wait/abort_scope.ts";
import { withGracePeriod } from "../../wait/grace_period.ts";
import type { Vmm } from "../../vmm/vmm.ts";
import { infoOf } from "../../vmm/vm_info.ts";
import { waitForExit } from "../../vmm/wait_for_exit.ts";
import { waitForState } from "../../vmm/wait_for.ts";
import {
  MigrationError,
  type MigrationSideState,
  readSideState,
} from "./error.ts";
import type { MigrateVmOptions } from "./options.ts";
import type { MigrationPhase, MigrationProgress } from "./phase.ts";
import { Receiver } from "./receiver.ts";
import { Sender } from "./sender.ts";
import type { MigrationUrls } from "./urls.ts";

export class Migration {
  readonly #source: Vmm;
  readonly #destination: Vmm;
  readonly #state: VmState;
  readonly #options: MigrateVmOptions;
  readonly #urls: MigrationUrls;
  readonly #sender: Sender;
  #receiver: Receiver | undefined;
  #phase: MigrationPhase = "preparing";

  /** The source's VM has `state` before the migration. */
  constructor(
    source: Vmm,
    destination: Vmm,
    state: VmState,
    options: MigrateVmOptions,
    urls: MigrationUrls,
  ) {
    this.#source = source;
    this.#destination = destination;
    this.#state = state;
    this.#options = options;
    this.#urls = urls;
    this.#sender = new Sender(source, state);
  }

  /** @throws {MigrationError} after the rollback. */
  async run(scope: AbortScope): Promise<VmInfo> {
    try {
      await this.#move(scope);
      return await this.#verify(scope);
    } catch (cause) {
      await this.#rollBack();
      const source = await this.#restoreSource();
      const destination = await readSideState(this.#destination.client);
      const { socketPath } = this.#source.client;
      throw new MigrationError(source, destination, { socketPath, cause });
    } finally {
      this.#sender.close();
    }
  }

  async #move(scope: AbortScope): Promise<void> {
    const { receive, send } = this.#options;
    const receiving = { ...receive, receiver_url: this.#urls.receiver };
    const receiver = new Receiver(this.#destination, receiving, scope);
    this.#receiver = receiver;
    this.#phase = "sending";
    await receiver.ready(scope);
    this.#sender.watch(
      (event) => this.#onSourceEvent(event),
      () => this.#onEventsEnd(),
    );
    const sending = { ...send, destination_url: this.#urls.url };
    await this.#sender.send(sending, scope.signal);
    const received = this.#awaitReceiver(receiver);
    received.catch(() => {});
    await scope.race(Promise.race([this.#sender.outcome, received]));
  }

  #onSourceEvent(event: VmmEvent): "go on" | "finished" {
    switch (event.event) {
      case "migration-started":
        this.#report({ stage: "started" });
        break;
      case "migration-memory-iteration":
        this.#report({
          stage: "iteration",
          iteration: Number(event.properties.id),
        });
        break;
      // A VM that was paused before is not paused again.
      case "pausing":
      case "snapshotting":
        if (this.#phase !== "sending") break;
        this.#phase = "switching";
        this.#report({ stage: "switching" });
        break;
      case "migration-finished":
        this.#phase = "arrived";
        this.#report({ stage: "finished" });
        return "finished";
      case "migration-failed":
        this.#report({ stage: "failed" });
        throw new Error("the source reports a failure, without a reason");
    }
    return "go on";
  }

  /** Tells whether the VM arrived, when the source's events have ended. */
  async #onEventsEnd(): Promise<boolean> {
    await this.#stopReceiver();
    if (!this.#hasArrived()) return false;
    this.#report({ stage: "finished" });
    return true;
  }

  #report(progress: MigrationProgress): void {
    this.#options.onProgress?.(progress);
  }

  /** Ends the wait for a source that died or lost its last event. */
  async #awaitReceiver(receiver: Receiver): Promise<void> {
    const { failure } = await receiver.ended;
    if (failure === undefined) await this.#sender.exited();
    else await this.#sender.waitForOutcome();
    // An event about the outcome says more.
    await withGracePeriod((scope) =>
      scope.pause(LAST_EVENT_MS, this.#sender.outcome)
    );
    if (failure !== undefined) throw failure;
    this.#phase = "arrived";
  }

  async #verify(scope: AbortScope): Promise<VmInfo> {
    const { failure } = await scope.race(this.#receiver!.ended);
    if (failure !== undefined) throw failure;
    const { signal } = scope;
    const state = this.#state === "Paused" ? "Paused" : "Running";
    const info = await waitForState(this.#destination, state, { signal });
    if (!this.#options.send?.preserve_source) {
      await waitForExit(this.#source, scope);
    }
    return info;
  }

  /** Frees the destination, unless it has the VM or may still get it. */
  async #rollBack(): Promise<void> {
    const receiver = this.#receiver;
    if (receiver === undefined || this.#hasArrived()) return;
    // Events can be late or lost: the source may be ahead of them.
    if (this.#phase === "switching" || !await this.#sourceHasVm()) {
      await this.#sender.waitForOutcome();
    }
    if (!this.#hasArrived() && !await this.#sourceHasVm()) {
      await this.#stopReceiver();
    }
    if (this.#hasArrived()) return;
    this.#phase = "failed";
    if (this.#destination.kill) return void await this.#destination.kill();
    await this.#stopReceiver();
    // A VM that arrived in the meantime, or that may still arrive, stays.
    if (receiver.state !== "failed") return;
    const { vm } = this.#destination.client;
    try {
      if (await infoOf(vm)) await vm.delete();
    } catch {
      // The error names the state of the destination.
    }
  }

  #sourceHasVm(): Promise<boolean> {
    return this.#sender.hasVm(this.#receiver?.state === "arrived");
  }

  #hasArrived(): boolean {
    return this.#phase === "arrived";
  }

  /** Ends the destination's call, and learns whether the VM has arrived. */
  async #stopReceiver(): Promise<void> {
    const receiver = this.#receiver!;
    await withGracePeriod((scope) => receiver.stop(scope));
    if (receiver.state === "arrived") this.#phase = "arrived";
  }

  /** Resumes the source's VM, unless the destination has it. */
  async #restoreSource(): Promise<MigrationSideState> {
    await this.#sender.waitForOutcome();
    if (this.#hasArrived() && !this.#options.send?.preserve_source) {
      await withGracePeriod((scope) => waitForExit(this.#source, scope));
    }
    return await this.#sender.restore();
  }
}

/** The time for an event about the outcome, after the outcome. */
const LAST_EVENT_MS = 1000;
