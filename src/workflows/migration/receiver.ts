/** The side of a migration that receives the VM. */
import { connect } from "node:net";
import type { Client } from "../../client/create_client.ts";
import { InvalidRequestError } from "../../errors/errors.ts";
import type { ReceiveMigrationData } from "../../generated/types.gen.ts";
import { noEventMonitor } from "../../vmm/event_pattern.ts";
import type { Vmm } from "../../vmm/vmm.ts";
import { waitForEvent } from "../../vmm/wait_for_event.ts";
import type { AbortScope } from "../../wait/abort_scope.ts";
import { waitForArrival } from "./arrived.ts";
import { readSideState } from "./error.ts";
import { isListening } from "./listening.ts";
import { factsOf, type MigrationFacts } from "./outcome.ts";
import { readReceiving, type Receiving } from "./receiving.ts";
import { addressOf } from "./urls.ts";

/** The reason of the end: undefined when the VM has arrived. */
export interface ReceiverEnd {
  readonly failure?: unknown;
}

export class Receiver {
  readonly #vmm: Vmm;
  readonly #body: ReceiveMigrationData;
  /** Ends the call's connection, or the wait for a VM that is on its way. */
  readonly #leaving = new AbortController();
  #receiving: Receiving | undefined;
  #facts: MigrationFacts | undefined;
  #ended: Promise<ReceiverEnd> | undefined;
  #state: "open" | "arrived" | "failed" = "open";

  constructor(vmm: Vmm, body: ReceiveMigrationData) {
    this.#vmm = vmm;
    this.#body = body;
  }

  /** Undefined until the VMM was asked to receive. */
  get ended(): Promise<ReceiverEnd> | undefined {
    return this.#ended;
  }

  /** Undefined where the VMM listens already, or has a VM. */
  get facts(): MigrationFacts | undefined {
    return this.#facts;
  }

  /** `open` until the VM has arrived or will never arrive. */
  get state(): "open" | "arrived" | "failed" {
    return this.#state;
  }

  /**
   * Asks the VMM how far it is, and changes nothing.
   *
   * @throws {InvalidRequestError} `destination` when the VMM has another VM, or
   * cannot report that it listens; `url` when it listens elsewhere.
   */
  async look(signal: AbortSignal): Promise<Receiving> {
    const { client, events } = this.#vmm;
    const { receiver_url: url } = this.#body;
    let receiving = await readReceiving(this.#vmm, signal);
    // A VMM that is only slow would refuse the source.
    while (receiving === "silent" && isListening(url) === false) {
      receiving = await readReceiving(this.#vmm, signal, true);
    }
    this.#receiving = receiving;
    if (receiving === "nothing") {
      this.#facts = await factsOf(client, this.#body, signal);
      const isTcp = url.startsWith("tcp:");
      if (isTcp && this.#facts.reportsReady && !events) {
        throw noEventMonitor("destination");
      }
    }
    if (receiving === "occupied") throw occupied(client);
    if (receiving === "listening" && isListening(url) === false) {
      throw new InvalidRequestError(
        "invalid_request",
        "url",
        `the VMM at "${client.socketPath}" waits for a VM, but not at "${url}"; end the VMM, or give its first address`,
      );
    }
    return receiving;
  }

  /**
   * Resolves when the VMM listens, or has begun to receive a VM. Joins a call
   * of an earlier script. Call {@linkcode look} before.
   */
  async open(scope: AbortScope): Promise<void> {
    if (this.#receiving === "nothing") return await this.#receive(scope);
    if (this.#receiving === "arrived") this.#state = "arrived";
    this.#ended = this.#watch(this.#waitForVm());
  }

  async #receive(scope: AbortScope): Promise<void> {
    const facts = this.#facts!;
    const { signal } = scope;
    const ready = { source: "vm", event: "migration-receive-ready" } as const;
    const listening = facts.reportsReady && this.#vmm.events
      ? waitForEvent(this.#vmm, ready, { signal })
      : this.#pollUntilListening(scope);
    listening.catch(() => {});
    const ended = this.#watch(this.#call(facts));
    this.#ended = ended;
    const failed = ended.then(({ failure }) => {
      throw failure ?? noVm();
    });
    await scope.race(Promise.race([listening, failed]));
  }

  /** The call stays open until a VM has arrived. */
  async #call({ confirmsArrival }: MigrationFacts): Promise<void> {
    const { client } = this.#vmm;
    const { signal } = this.#leaving;
    await client.vm.receiveMigration(this.#body, { signal });
    if (!confirmsArrival && await readSideState(client) === "none") {
      throw noVm();
    }
  }

  async #waitForVm(): Promise<void> {
    const { signal } = this.#leaving;
    if (!await waitForArrival(this.#vmm, { signal })) throw noVm();
  }

  #watch(arrival: Promise<void>): Promise<ReceiverEnd> {
    return arrival.then(() => {
      this.#state = "arrived";
      return {};
    }, (failure: unknown) => {
      this.#state = "failed";
      return { failure };
    });
  }

  async #pollUntilListening(scope: AbortScope): Promise<void> {
    const { receiver_url: url } = this.#body;
    const isTaken = isListening(url);
    if (isTaken === undefined) throw cannotLook();
    // The VMM cannot listen there, and its refusal ends the wait.
    if (isTaken) return await scope.race(new Promise(() => {}));
    while (!isListening(url)) await scope.pause(POLL_MS);
  }

  /**
   * Makes the VMM stop listening, by a peer that hangs up. Repeats that until
   * the call has ended, since the VMM may not listen yet. After the source has
   * connected, this changes nothing.
   */
  async stop(scope: AbortScope): Promise<void> {
    while (this.#ended && this.#state === "open") {
      await this.#connectAndHangUp();
      await scope.pause(STOP_INTERVAL_MS, this.#ended);
    }
  }

  async #connectAndHangUp(): Promise<void> {
    await new Promise<void>((resolve) => {
      const socket = connect(addressOf(this.#body.receiver_url));
      socket.once("connect", () => socket.destroy());
      socket.once("error", () => {});
      socket.once("close", () => resolve());
    });
  }

  /** Closes the call's connection; the VMM goes on. */
  leave(): void {
    this.#leaving.abort();
  }
}

/** The error about a destination that has a VM. */
export function occupied({ socketPath }: Client): InvalidRequestError {
  return new InvalidRequestError(
    "invalid_request",
    "destination",
    `the VMM at "${socketPath}" has a VM, which the migration would overwrite`,
  );
}

function noVm(): Error {
  return new Error("the destination ended without a VM");
}

function cannotLook(): InvalidRequestError {
  return new InvalidRequestError(
    "invalid_request",
    "url",
    "the ports of this host cannot be read; allow it with -A, or take a unix: URL",
  );
}

const POLL_MS = 5;
const STOP_INTERVAL_MS = 50;
