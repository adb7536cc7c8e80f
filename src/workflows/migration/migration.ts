/** One migration, from its preparation to its outcome or its rollback. */
import { VmmExitedError } from "../../errors/errors.ts";
import type { VmInfo, VmState } from "../../generated/types.gen.ts";
import type { VmmEvent } from "../../events/mod.ts";
import { AbortScope } from "../../wait/abort_scope.ts";
import { withGracePeriod } from "../../wait/grace_period.ts";
import { UNKNOWN_EXIT } from "../../vmm/poll.ts";
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
import { hasVm, resumeSource } from "./source.ts";
import type { MigrationUrls } from "./urls.ts";

export class Migration {
  readonly #source: Vmm;
  readonly #destination: Vmm;
  readonly #options: MigrateVmOptions;
  readonly sender: Sender;
  readonly receiver: Receiver;
  #outcome: Promise<void> | undefined;
  #phase: MigrationPhase = "preparing";
  #hasStarted = false;

  constructor(
    source: Vmm,
    destination: Vmm,
    options: MigrateVmOptions,
    urls: MigrationUrls,
  ) {
    this.#source = source;
    this.#destination = destination;
    this.#options = options;
    const { receive, send, allowFatal } = options;
    const receiving = { ...receive, receiver_url: urls.receiver };
    this.receiver = new Receiver(destination, receiving);
    const sending = { ...send, destination_url: urls.url };
    this.sender = new Sender(source, sending, {
      allowFatal,
      onEvent: (event) => this.#onSourceEvent(event),
    });
  }

  /**
   * Both sides must have been looked at.
   *
   * @throws {MigrationError} after the rollback.
   */
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
      this.close();
    }
  }

  /** Ends all waits; both VMMs go on. */
  close(): void {
    this.sender.close();
    this.receiver.leave();
  }

  async #move(scope: AbortScope): Promise<void> {
    await this.receiver.open(scope);
    if (this.receiver.state === "arrived") {
      this.#phase = "arrived";
      this.#report({ stage: "finished" });
      return;
    }
    this.#phase = "sending";
    await this.sender.start(scope.signal);
    const received = this.#awaitReceiver();
    received.catch(() => {});
    await scope.race(Promise.race([this.#awaitOutcome(), received]));
  }

  #onSourceEvent(event: VmmEvent): void {
    switch (event.event) {
      case "migration-started":
        return this.#report({ stage: "started" });
      case "migration-memory-iteration":
        return this.#report({
          stage: "iteration",
          iteration: Number(event.properties.id),
        });
      // A VM that was paused before is not paused again.
      case "pausing":
      case "snapshotting":
        if (this.#phase !== "sending") return;
        this.#phase = "switching";
        return this.#report({ stage: "switching" });
    }
  }

  /** Up to v51.1 no event reports the start. */
  #report(progress: MigrationProgress): void {
    if (progress.stage !== "started" && !this.#hasStarted) {
      this.#report({ stage: "started" });
    }
    this.#hasStarted = true;
    this.#options.onProgress?.(progress);
  }

  /** Resolves when the VM has moved; undefined while nothing is sent. */
  #awaitOutcome(): Promise<void> | undefined {
    const { ended } = this.sender;
    if (ended === undefined) return undefined;
    this.#outcome ??= (async () => {
      const { outcome, cause } = await ended;
      if (outcome === "gone") await this.#stopReceiver();
      if (outcome === "moved") this.#phase = "arrived";
      if (this.#hasArrived()) return this.#report({ stage: "finished" });
      if (outcome === "stayed") {
        this.#report({ stage: "failed" });
        throw cause ??
          new Error("the source reports a failure, without a reason");
      }
      const { socketPath } = this.#source.client;
      const exit = await this.#source.exited ?? UNKNOWN_EXIT;
      throw new VmmExitedError(exit, { socketPath });
    })();
    this.#outcome.catch(() => {});
    return this.#outcome;
  }

  /** Waits for the outcome or the end of the source, within a grace period. */
  async #waitForOutcome(): Promise<void> {
    await withGracePeriod((scope) =>
      Promise.race([
        this.#awaitOutcome(),
        waitForExit(this.#source, scope),
      ])
    );
  }

  /** Ends the wait for a source that died or lost its last event. */
  async #awaitReceiver(): Promise<void> {
    const { failure } = await this.receiver.ended!;
    if (failure === undefined) await this.#sourceEnds();
    else await this.#waitForOutcome();
    // An event about the outcome says more.
    await withGracePeriod((scope) =>
      scope.pause(LAST_EVENT_MS, this.#awaitOutcome())
    );
    if (failure !== undefined) throw failure;
    this.#phase = "arrived";
  }

  /** Resolves when the source's process has ended, however long that takes. */
  async #sourceEnds(): Promise<void> {
    const scope = new AbortScope({ signal: this.sender.signal });
    try {
      await waitForExit(this.#source, scope);
    } finally {
      scope.close();
    }
  }

  async #verify(scope: AbortScope): Promise<VmInfo> {
    const { failure } = await scope.race(this.receiver.ended!);
    if (failure !== undefined) throw failure;
    const { signal } = scope;
    // A VM that was paused arrives paused; up to v51.1 it was refused before.
    const info = this.#before === "Paused"
      ? await this.#destination.client.vm.info({ signal })
      : await waitForState(this.#destination, "Running", { signal });
    if (!this.#options.send?.preserve_source) {
      await waitForExit(this.#source, scope);
    }
    return info;
  }

  /** Frees the destination, unless it has the VM or may still get it. */
  async #rollBack(): Promise<void> {
    const { receiver } = this;
    if (receiver.ended === undefined || this.#hasArrived()) return;
    // Events can be late or lost: the source may be ahead of them.
    if (this.#phase === "switching" || !await this.#sourceHasVm()) {
      await this.#waitForOutcome();
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

  /** The state of the source's VM before the migration. */
  get #before(): VmState {
    return this.sender.info?.state ?? "Running";
  }

  #sourceHasVm(): Promise<boolean> {
    const isCopied = this.receiver.state === "arrived";
    return hasVm(this.#source, this.#before, isCopied);
  }

  #hasArrived(): boolean {
    return this.#phase === "arrived";
  }

  /** Ends the destination's call, and learns whether the VM has arrived. */
  async #stopReceiver(): Promise<void> {
    const { receiver } = this;
    await withGracePeriod((scope) => receiver.stop(scope));
    if (receiver.state === "arrived") this.#phase = "arrived";
  }

  /** Resumes the source's VM, unless the destination has it. */
  async #restoreSource(): Promise<MigrationSideState> {
    await this.#waitForOutcome();
    if (this.#hasArrived() && !this.#options.send?.preserve_source) {
      await withGracePeriod((scope) => waitForExit(this.#source, scope));
    }
    return await resumeSource(this.#source, this.#before);
  }
}

/** The time for an event about the outcome, after the outcome. */
const LAST_EVENT_MS = 1000;
