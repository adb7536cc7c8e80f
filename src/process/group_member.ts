/** One VMM of a group, from before its start to its end. */
import { InvalidRequestError } from "../errors/errors.ts";
import type { VmEnd } from "../vmm/vm_end.ts";
import { messageOf, type VmmOutcome } from "./group_outcome.ts";
import type { SpawnVmmOptions } from "./options.ts";
import { spawnVmm } from "./spawn.ts";
import type { StopOptions, StopResult } from "./stop.ts";
import type { VmmProcess } from "./vmm_process.ts";

/**
 * The options of one VMM of a group. A group ends with its script, so no VMM of
 * a group can have `detach`.
 */
export type GroupVmmOptions = Omit<SpawnVmmOptions, "detach" | "signal">;

/** A VMM of a group. */
export interface GroupVmm extends VmmProcess {
  /** The name of the VMM in the group. */
  readonly name: string;
}

export class GroupMember {
  readonly name: string;
  readonly #options: GroupVmmOptions;
  #vmm: GroupVmm | undefined;
  #end: VmEnd | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(name: string, options: GroupVmmOptions) {
    if ((options as SpawnVmmOptions).detach) {
      const reason =
        `VMM "${name}" would outlive its group: start it by spawnVmm`;
      throw new InvalidRequestError("invalid_request", "detach", reason);
    }
    this.name = name;
    this.#options = options;
  }

  /** Rejects with the error of the start, or with the signal's reason. */
  async start(signal: AbortSignal): Promise<GroupVmm> {
    // The group ends a VMM that is up, so the signal must not.
    const starting = new AbortController();
    const abort = (): void => starting.abort(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      signal.throwIfAborted();
      const vmm = await spawnVmm({
        ...this.#options,
        signal: starting.signal,
      });
      void vmm.ended.then((end) => this.#end = end);
      return this.#vmm = { ...vmm, name: this.name };
    } catch (error) {
      if (!signal.aborted) this.#failure = { error };
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** Ends a VMM that is up at once. */
  async kill(): Promise<void> {
    await this.#vmm?.kill();
    this.#vmm?.client.close();
  }

  /** Stops the VMM; the outcome keeps the error. */
  async stop(options?: StopOptions): Promise<StopResult | undefined> {
    const { stopTimeoutMs: timeoutMs } = this.#options;
    const given = options ?? (timeoutMs === undefined ? {} : { timeoutMs });
    try {
      this.#failure = undefined;
      return await this.#vmm?.stop(given);
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  /** The outcome so far. */
  get outcome(): VmmOutcome {
    const end = this.#end;
    return {
      name: this.name,
      pid: this.#vmm?.pid,
      state: this.#state(),
      cause: end?.cause,
      by: end?.by,
      step: end?.step,
      exitCode: end?.exit.exitCode,
      signal: end?.exit.signal,
      error: this.#failure && messageOf(this.#failure.error),
    };
  }

  #state(): VmmOutcome["state"] {
    if (this.#vmm) return this.#end ? "ended" : "running";
    return this.#failure ? "failed" : "cancelled";
  }
}
