/** When a reader goes on, and when it is over. */

import { onSettled } from "./on_settled.ts";

/** What ends a reader without an error. */
export const STOPPED: unique symbol = Symbol("left");

export class Wakeup {
  readonly #signal: AbortSignal | undefined;
  readonly #abort = (): void => this.#fail(this.#signal?.reason);
  #pending = false;
  #unsubscribe: (() => void) | undefined;
  #failed: { reason: unknown } | undefined;
  #resolve: (() => void) | undefined;
  #reject: ((reason: unknown) => void) | undefined;
  /** Whether no more will be written. */
  ended = false;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** Begins to listen. */
  open(ended?: Promise<unknown>): void {
    this.throwIfEnded();
    this.#signal?.addEventListener("abort", this.#abort, { once: true });
    const end = (): void => {
      this.ended = true;
      this.notify();
    };
    if (ended) this.#unsubscribe = onSettled(ended, end);
  }

  /** Stops listening. */
  close(): void {
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#unsubscribe?.();
  }

  /** Makes the reader reject with {@linkcode STOPPED}, wherever it is. */
  stop(): void {
    this.#fail(STOPPED);
  }

  /** There is something to read, or there may be. */
  notify(): void {
    this.#pending = true;
    this.#resolve?.();
  }

  /** To be called before it is looked whether there is something to read. */
  reset(): void {
    this.throwIfEnded();
    this.#pending = false;
  }

  /** Throws when it is over. */
  throwIfEnded(): void {
    this.#signal?.throwIfAborted();
    if (this.#failed) throw this.#failed.reason;
  }

  /** Until there is news since {@linkcode reset}, or the time is over. */
  async pause(ms: number): Promise<void> {
    if (this.#pending) return;
    let timer;
    const time = new Promise<void>((resolve) =>
      timer = setTimeout(resolve, ms)
    );
    try {
      await this.#until(time, true);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The promise, unless it is over before. */
  race<T>(promise: Promise<T>): Promise<T> {
    return this.#until(promise, false) as Promise<T>;
  }

  async #until(promise: Promise<unknown>, wakes: boolean): Promise<unknown> {
    // Nobody waits for it when all is over before.
    promise.catch(() => {});
    this.throwIfEnded();
    const { promise: over, resolve, reject } = Promise.withResolvers<unknown>();
    promise.then(resolve, reject);
    if (wakes) this.#resolve = () => resolve(undefined);
    this.#reject = reject;
    try {
      return await over;
    } finally {
      this.#resolve = undefined;
      this.#reject = undefined;
    }
  }

  #fail(reason: unknown): void {
    this.#failed ??= { reason };
    this.#reject?.(reason);
  }
}
