/** The side of a migration that sends the VM. */
import { ApiError, ConnectionError } from "../../errors/errors.ts";
import type { VmmEvent } from "../../events/mod.ts";
import type { SendMigrationData, VmInfo } from "../../generated/types.gen.ts";
import { watchEnd } from "../../vmm/end_watch.ts";
import { noEventMonitor } from "../../vmm/event_pattern.ts";
import { pollUntil } from "../../vmm/poll.ts";
import type { Vmm } from "../../vmm/vmm.ts";
import { isNotCreated } from "../../vmm/vm_info.ts";
import { isGone, waitForExit } from "../../vmm/wait_for_exit.ts";
import { AbortScope } from "../../wait/abort_scope.ts";
import { whenMemoryIsFilled } from "../memory_fill.ts";
import { assertPrivateMemory } from "./memory.ts";
import {
  assertSendable,
  EndingTrace,
  factsOf,
  isRefusal,
  type MigrationFacts,
  outcomeOf,
  type SendOutcome,
} from "./outcome.ts";
import { readSentSoFar, type SentSoFar } from "./so_far.ts";
import { readSourceInfo } from "./source.ts";

/** The outcome of sending, with the reason why the VM stayed, if it is known. */
export interface SenderEnd {
  readonly outcome: SendOutcome;
  readonly cause?: unknown;
}

/** Options of {@linkcode Sender}. */
export interface SenderOptions {
  /** The position of the source's events before which nothing counts. */
  readonly since?: number | undefined;
  /** Lets shared memory through. */
  readonly allowFatal?: boolean | undefined;
  /** Called with each event of the source's VM. */
  readonly onEvent?: (event: VmmEvent) => void;
}

/** The source before the migration. */
export type SourceState = "ready" | "sending" | "silent" | "gone";

export class Sender {
  readonly #vmm: Vmm;
  readonly #body: SendMigrationData;
  readonly #options: SenderOptions;
  /** Ends the following of the migration. */
  readonly #following = new AbortController();
  #soFar: SentSoFar = { looksMoved: false };
  #info: VmInfo | undefined;
  #facts: MigrationFacts | undefined;
  #state: SourceState | undefined;
  #ended: Promise<SenderEnd> | undefined;

  constructor(vmm: Vmm, body: SendMigrationData, options: SenderOptions = {}) {
    this.#vmm = vmm;
    this.#body = body;
    this.#options = options;
  }

  /** Undefined while the VMM has not begun. */
  get ended(): Promise<SenderEnd> | undefined {
    return this.#ended;
  }

  /** The info of the VM; undefined where the VMM did not give one. */
  get info(): VmInfo | undefined {
    return this.#info;
  }

  /** Undefined where nothing is to be sent. */
  get facts(): MigrationFacts | undefined {
    return this.#facts;
  }

  /** The migrations that the source has reported before. */
  get soFar(): SentSoFar {
    return this.#soFar;
  }

  /**
   * Asks the VMM for its VM, and changes nothing. Resolves to `silent` where a
   * release that answers at the end is sending a VM.
   *
   * @throws {InvalidRequestError} when nothing can be sent.
   */
  async look(signal: AbortSignal): Promise<SourceState> {
    const { client, events } = this.#vmm;
    const { since, allowFatal } = this.#options;
    this.#soFar = await readSentSoFar(this.#vmm, since, signal);
    try {
      const info = await readSourceInfo(this.#vmm, signal);
      if (info === "silent") return this.#state = info;
      this.#info = info;
      if (this.#soFar.underWay !== undefined) return this.#state = "sending";
      if (!allowFatal) {
        assertPrivateMemory(this.#info.config, client.socketPath);
      }
      this.#facts = await factsOf(client, this.#body, signal);
      assertSendable(this.#facts, info, client);
      if (!this.#facts.answersAtEnd && !events) throw noEventMonitor("source");
      return this.#state = "ready";
    } catch (error) {
      if (!isGone(error) && !isNotCreated(error)) throw error;
      // It may have reported the outcome since.
      this.#soFar = await readSentSoFar(this.#vmm, since, signal);
      const isMoved = this.#soFar.outcome === "moved";
      if (isGone(error) || isMoved) return this.#state = "gone";
      throw error;
    }
  }

  /**
   * Sends the VM, or joins a migration that is under way. Sends nothing when
   * the outcome is known already. Call {@linkcode look} before.
   *
   * @throws {ApiError} when the VMM refuses the call.
   */
  async start(signal: AbortSignal): Promise<void> {
    const { since } = this.#options;
    const { offset, underWay, outcome } = this.#soFar;
    if (underWay !== undefined) return this.#end(this.#follow(underWay));
    if (since !== undefined && outcome !== undefined) {
      return this.#end(Promise.resolve({ outcome }));
    }
    if (this.#state === "gone") {
      const last = outcome === "moved" ? outcome : "gone";
      return this.#end(Promise.resolve({ outcome: last }));
    }
    if (this.#state === "silent") return this.#end(this.#join(offset));
    await this.#send(signal);
  }

  async #send(signal: AbortSignal): Promise<void> {
    const { vm } = this.#vmm.client;
    const following = this.#vmm.events
      ? this.#follow(this.#soFar.offset)
      : this.#waitForEnd();
    following.catch(() => {});
    if (this.#facts!.answersAtEnd) {
      const call = vm.sendMigration(this.#body, {
        signal: this.#following.signal,
      });
      return this.#end(call.then(() => ({ outcome: "moved" }), (error) => {
        if (error instanceof ApiError && !isRefusal(error)) {
          return { outcome: "stayed", cause: error };
        }
        // The VMM can end before its answer is out.
        if (isLost(error)) return following;
        throw error;
      }));
    }
    this.#end(following);
    try {
      const send = () => vm.sendMigration(this.#body, { signal });
      await whenMemoryIsFilled(this.#vmm, send, { signal });
    } catch (error) {
      if (isGone(error)) return;
      if (error instanceof ApiError) {
        if (await this.#isSending(error, signal)) return;
        // Nothing has begun, so no event about an outcome will come.
        this.#ended = undefined;
      }
      throw error;
    }
  }

  /** Tells whether the VMM refused because another call was first. */
  async #isSending({ code }: ApiError, signal: AbortSignal): Promise<boolean> {
    if (code === "migrating") return true;
    const { offset } = this.#soFar;
    const since = await readSentSoFar(this.#vmm, offset, signal);
    return since.underWay !== undefined || since.outcome !== undefined;
  }

  #end(ended: Promise<SenderEnd>): void {
    ended.catch(() => {});
    this.#ended = ended;
  }

  /** Reads the events up to the outcome, or to the end of the VMM. */
  async #follow(from: number | undefined): Promise<SenderEnd> {
    const { client, events, exited } = this.#vmm;
    const { signal } = this.#following;
    const watch = exited ? undefined : watchEnd(client);
    const ended = exited ?? watch!.ended;
    const trace = new EndingTrace();
    try {
      for await (
        const event of events!({ from: from ?? "now", signal, ended })
      ) {
        trace.add(event);
        if (event.source === "vm") this.#options.onEvent?.(event);
        const outcome = outcomeOf(event);
        if (outcome !== undefined) return { outcome };
      }
      signal.throwIfAborted();
      return { outcome: trace.looksMoved ? "moved" : "gone" };
    } finally {
      watch?.stop();
    }
  }

  /** Without events, a lost answer means that the VMM has ended. */
  async #waitForEnd(): Promise<SenderEnd> {
    const scope = new AbortScope({ signal: this.#following.signal });
    try {
      await waitForExit(this.#vmm, scope);
      return { outcome: "gone" };
    } finally {
      scope.close();
    }
  }

  /** A VMM that was silent and answers again has its VM still. */
  #join(from: number | undefined): Promise<SenderEnd> {
    const { client } = this.#vmm;
    const { signal } = this.#following;
    const answered = pollUntil({ client }, {
      goal: { subject: "VMM", unmet: "does not answer" },
      probe: (signal) => client.vmm.ping({ signal }),
    }, { signal }).then((): SenderEnd => ({ outcome: "stayed" }));
    const following = this.#follow(from);
    following.catch(() => {});
    // The end of the VMM is the following's to judge.
    return Promise.race([following, answered.catch(() => following)]);
  }

  /** Aborted when nobody follows any more. */
  get signal(): AbortSignal {
    return this.#following.signal;
  }

  /** Stops following; the migration goes on. */
  close(): void {
    this.#following.abort(new DOMException("done", "AbortError"));
  }
}

/** Tells whether a call got no answer because the VMM has ended or is ending. */
function isLost(error: unknown): boolean {
  return isGone(error) ||
    error instanceof ConnectionError && error.code === "closed";
}
