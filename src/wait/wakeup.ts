/** Wakes a reader that waits for news, and ends it. */

import { onSettled } from "./on_settled.ts";

/** The reason that ends a reader without an error. */
export const STOPPED: unique symbol = Symbol("stopped");

export class Wakeup {
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#fail(this.#signal?.reason);
  #pending = false;
  #unsubscribe: (() => void)[] = [];
  #failure: { reason: unknown } | undefined;
  #resolve: (() => void) | undefined;
  #reject: ((reason: unknown) => void) | undefined;
  /** True when no more will be written. */
  ended = false;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** Begins to listen; each promise tells that no more will be written. */
  open(...ends: (Promise<unknown> | undefined)[]): void {
    this.throwIfEnded();
    this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
    const end = (): void => {
      this.ended = true;
      this.notify();
    };
    for (const ended of ends) {
      if (ended) this.#unsubscribe.push(onSettled(ended, end));
    }
  }

  /** Stops listening. */
  close(): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  /** Makes the reader reject with {@linkcode STOPPED}, wherever it waits. */
  stop(): void {
    this.#fail(STOPPED);
  }

  /** Reports that there may be something to read. */
  notify(): void {
    this.#pending = true;
    this.#resolve?.();
  }

  /** Call this before each read: a later notification ends the next pause. */
  reset(): void {
    this.throwIfEnded();
    this.#pending = false;
  }

  /** Throws the signal's reason, or {@linkcode STOPPED}. */
  throwIfEnded(): void {
    this.#signal?.throwIfAborted();
    if (this.#failure) throw this.#failure.reason;
  }

  /** Waits for a notification since {@linkcode reset}, or for the time. */
  async pause(ms: number = Infinity): Promise<void> {
    if (this.#pending) return;
    let timer;
    const time = new Promise<void>((resolve) => {
      if (ms < Infinity) timer = setTimeout(resolve, ms);
    });
    try {
      await this.#until(time, true);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Resolves as the promise; rejects when the reader is ended before. */
  race<T>(promise: Promise<T>): Promise<T> {
    return this.#until(promise, false) as Promise<T>;
  }

  async #until(promise: Promise<unknown>, wakes: boolean): Promise<unknown> {
    // Nobody handles its rejection when the reader has ended already.
    promise.catch(() => {});
    this.throwIfEnded();
    const { promise: result, resolve, reject } = Promise.withResolvers<
      unknown
    >();
    promise.then(resolve, reject);
    if (wakes) this.#resolve = () => resolve(undefined);
    this.#reject = reject;
    try {
      return await result;
    } finally {
      this.#resolve = undefined;
      this.#reject = undefined;
    }
  }

  #fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#reject?.(reason);
  }
}
