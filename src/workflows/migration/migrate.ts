/** A VM moved to another VMM, and proof that it is there. */
import type { Client } from "../../client/create_client.ts";
import {
  ApiError,
  InvalidRequestError,
  VmmExitedError,
} from "../../errors/errors.ts";
import type { VmmEvent } from "../../events/mod.ts";
import type {
  ReceiveMigrationData,
  SendMigrationData,
  VmInfo,
  VmState,
} from "../../generated/types.gen.ts";
import { noEventMonitor } from "../../vmm/wait_for_event.ts";
import { MigrationError, readSideState } from "./error.ts";
import { waitForExit, withGracePeriod } from "./grace_period.ts";
import { MigrationUrls } from "./urls.ts";
import { Receiver } from "./receiver.ts";
import { AbortScope } from "../../wait/abort_scope.ts";
import { type Vmm, vmmOf, type WaitOptions } from "../../vmm/vmm.ts";
import { infoOf, waitForState } from "../../vmm/wait_for.ts";

/** How far a migration is. */
export type MigrationProgress =
  | {
    /** The VM is being sent. */
    readonly stage: "started";
  }
  | {
    /** A pass over the memory has ended. */
    readonly stage: "iteration";
    /** Which pass over the memory has ended, from 0. */
    readonly iteration: number;
  }
  | {
    /** The VM is paused to change sides. */
    readonly stage: "switching";
  }
  | {
    /** The VM is at the destination. */
    readonly stage: "finished";
  }
  | {
    /** The VM goes on at the source. */
    readonly stage: "failed";
  };

/** What {@linkcode migrateVm} takes besides the two sides. */
export interface MigrateVmOptions extends Omit<WaitOptions, "events"> {
  /**
   * Where the VM travels: `unix:<path>` or `tcp:<address>:<port>`, the address
   * an IP literal.
   *
   * Default: a Unix socket in a private temporary directory.
   */
  readonly url?: string;
  /** Where the destination listens, if it calls that otherwise. */
  readonly receiverUrl?: string;
  /** More of what `vm.send-migration` takes. */
  readonly send?: Omit<SendMigrationData, "destination_url">;
  /** More of what `vm.receive-migration` takes. */
  readonly receive?: Omit<ReceiveMigrationData, "receiver_url">;
  /** Told how far it is, from the source's events. */
  readonly onProgress?: (progress: MigrationProgress) => void;
}

/**
 * Moves a VM to a VMM without one, and resolves to its info there once it runs
 * (or is paused, if it was) and the source is gone (unless `preserve_source`).
 *
 * The source needs events: `vm.send-migration` answers before anything is
 * sent, so its status says nothing. Over TCP the destination needs them too.
 *
 * When it fails or is aborted, the source goes on running, and the destination
 * is released: it stops listening, what it kept is deleted, and one that the
 * script started is ended. Once the VM is paused to change sides, an abort
 * waits for the outcome; a VM that has left its source is never ended. A
 * destination that something else started cannot be stopped while it receives,
 * and may get the VM all the same.
 *
 * @throws {InvalidRequestError} `source`, `destination` or `url` before
 * anything is done.
 * @throws {MigrationError} with the state of each side; its `cause` is the
 * reason, the signal's too.
 */
export async function migrateVm(
  source: Client | Vmm,
  destination: Client | Vmm,
  options: MigrateVmOptions = {},
): Promise<VmInfo> {
  const from = vmmOf(source);
  const to = vmmOf(destination);
  const scope = new AbortScope("the migration", options);
  const place = new MigrationUrls(options.url, options.receiverUrl);
  try {
    const { state } = await from.client.vm.info({ signal: scope.signal });
    await check(from, to, place.receiver, scope.signal);
    return await new Migration(from, to, state, options, place).run(scope);
  } finally {
    scope.close();
    place.remove();
  }
}

async function check(
  from: Vmm,
  to: Vmm,
  receiver: string,
  signal: AbortSignal,
): Promise<void> {
  if (from.events === undefined) throw noEventMonitor("source");
  if (to.events === undefined && receiver.startsWith("tcp:")) {
    throw noEventMonitor("destination");
  }
  if (await infoOf(to.client.vm, { signal }) === undefined) return;
  throw new InvalidRequestError(
    "invalid_request",
    "destination",
    "it has a VM, which the migration would overwrite",
  );
}

class Migration {
  readonly #from: Vmm;
  readonly #to: Vmm;
  readonly #state: VmState;
  readonly #options: MigrateVmOptions;
  readonly #urls: MigrationUrls;
  /** Ends the reading of the source's events. */
  readonly #reading = new AbortController();
  #receiver: Receiver | undefined;
  #outcome: Promise<void> | undefined;
  #finished = false;
  #isSwitching = false;

  constructor(
    from: Vmm,
    to: Vmm,
    state: VmState,
    options: MigrateVmOptions,
    place: MigrationUrls,
  ) {
    this.#from = from;
    this.#to = to;
    this.#state = state;
    this.#options = options;
    this.#urls = place;
  }

  async run(scope: AbortScope): Promise<VmInfo> {
    try {
      await this.#move(scope);
      return await this.#verify(scope);
    } catch (cause) {
      await this.#rollBack();
      const source = await this.#restoreSource();
      const destination = await readSideState(this.#to.client);
      const { socketPath } = this.#from.client;
      throw new MigrationError(source, destination, { socketPath, cause });
    } finally {
      this.#reading.abort();
    }
  }

  async #move(scope: AbortScope): Promise<void> {
    const { receive } = this.#options;
    const body = { ...receive, receiver_url: this.#urls.receiver };
    this.#receiver = new Receiver(this.#to, body, scope);
    await this.#receiver.ready(scope);
    const { signal } = this.#reading;
    const events = this.#from.events!({ from: "now", signal });
    this.#outcome = this.#watchEvents(events);
    this.#outcome.catch(() => {});
    await this.#send(scope.signal);
    const lost = this.#awaitReceiver();
    lost.catch(() => {});
    await scope.race(Promise.race([this.#outcome, lost]));
  }

  async #send(signal: AbortSignal): Promise<void> {
    const body = { ...this.#options.send, destination_url: this.#urls.url };
    try {
      await this.#from.client.vm.sendMigration(body, { signal });
    } catch (error) {
      // Nothing has begun, so nothing is to be waited for.
      if (error instanceof ApiError) this.#outcome = undefined;
      throw error;
    }
  }

  /**
   * Ends the wait for a source that says no more: it may have died, or have
   * lost the event. The destination's own answer counts then.
   */
  async #awaitReceiver(): Promise<void> {
    const { failure } = await this.#receiver!.ended;
    if (failure === undefined) await this.#sourceExited();
    else await this.#awaitSourceOutcome();
    // What the events tell comes first.
    await withGracePeriod((scope) => scope.pause(LAST_MS, this.#outcome));
    if (failure !== undefined) throw failure;
    this.#finished = true;
  }

  /** Resolves when the source's process has ended. */
  async #sourceExited(): Promise<void> {
    const scope = new AbortScope("", { signal: this.#reading.signal });
    try {
      await waitForExit(this.#from, scope);
    } finally {
      scope.close();
    }
  }

  /** Resolves when the source is done, and rejects when it has failed. */
  async #watchEvents(events: AsyncIterable<VmmEvent>): Promise<void> {
    const tell = this.#options.onProgress ?? (() => {});
    for await (const { source, event, properties } of events) {
      if (source !== "vm") continue;
      if (event === "migration-started") tell({ stage: "started" });
      if (event === "migration-memory-iteration") {
        tell({ stage: "iteration", iteration: Number(properties.id) });
      }
      // One that was paused before is not paused again.
      const parts = event === "pausing" || event === "snapshotting";
      if (parts && !this.#isSwitching) {
        this.#isSwitching = true;
        tell({ stage: "switching" });
      }
      if (event === "migration-finished") {
        this.#finished = true;
        return tell({ stage: "finished" });
      }
      if (event === "migration-failed") {
        tell({ stage: "failed" });
        throw new Error("the source reports a failure, without a reason");
      }
    }
    if (!this.#reading.signal.aborted) await this.#stopReceiver();
    if (this.#finished) return tell({ stage: "finished" });
    const { socketPath } = this.#from.client;
    const exit = await this.#from.exited;
    const unknown = { exitCode: null, signal: null, stderr: "" };
    throw new VmmExitedError(exit ?? unknown, { socketPath });
  }

  async #verify(scope: AbortScope): Promise<VmInfo> {
    const { failure } = await scope.race(this.#receiver!.ended);
    if (failure !== undefined) throw failure;
    const { signal } = scope;
    const state = this.#state === "Paused" ? "Paused" : "Running";
    const info = await waitForState(this.#to, state, { signal });
    if (!this.#options.send?.preserve_source) {
      await waitForExit(this.#from, scope);
    }
    return info;
  }

  /** Lets the destination go, unless the VM is or may be on its way to it. */
  async #rollBack(): Promise<void> {
    if (this.#receiver === undefined || this.#finished) return;
    // Events may be late, or lost: the source may be further than they tell.
    if (this.#isSwitching || !await this.#sourceHasVm()) {
      await this.#awaitSourceOutcome();
    }
    if (!this.#finished && !await this.#sourceHasVm()) {
      await this.#stopReceiver();
    }
    if (this.#finished) return;
    if (this.#to.kill) return void await this.#to.kill();
    await this.#stopReceiver();
    // What came in the meantime stays, and so does what may yet come.
    if (this.#receiver.state !== "failed") return;
    const { vm } = this.#to.client;
    try {
      if (await infoOf(vm)) await vm.delete();
    } catch {
      // What it is left with is in the error.
    }
  }

  /** Whether the source has the VM; a paused one may be a copy. */
  async #sourceHasVm(): Promise<boolean> {
    const isCopied = this.#receiver?.state === "arrived";
    const state = await readSideState(this.#from.client);
    return state === this.#state && (state === "Running" || !isCopied);
  }

  /** Has the destination stop listening, and say whether the VM is there. */
  async #stopReceiver(): Promise<void> {
    const receiver = this.#receiver!;
    await withGracePeriod((scope) => receiver.release(scope));
    this.#finished ||= receiver.state === "arrived";
  }

  /** What the source is left with, after it got its VM back. */
  async #restoreSource(): Promise<MigrationError["source"]> {
    await this.#awaitSourceOutcome();
    const { client } = this.#from;
    const stays = !this.#finished || this.#options.send?.preserve_source;
    if (!stays) {
      await withGracePeriod((scope) => waitForExit(this.#from, scope));
    }
    const state = await readSideState(client);
    if (state !== "Paused" || this.#state !== "Running") return state;
    await client.vm.resume().catch(() => {});
    return await readSideState(client);
  }

  /** Resolves when the source says how it ended, is gone, or does neither. */
  async #awaitSourceOutcome(): Promise<void> {
    await withGracePeriod((scope) =>
      Promise.race([this.#outcome, waitForExit(this.#from, scope)])
    );
  }
}

/** For what the events may still have to tell. */
const LAST_MS = 1000;
