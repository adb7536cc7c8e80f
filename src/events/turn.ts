/** When a reader goes on, and when it is over. */

import { onSettled } from "../settled.ts";

/** What ends a reader without an error. */
export const LEFT: unique symbol = Symbol("left");

export class Turn {
  readonly #signal: AbortSignal | undefined;
  readonly #abort = (): void => this.#fail(this.#signal?.reason);
  #news = false;
  #deaf: (() => void) | undefined;
  #failed: { reason: unknown } | undefined;
  #go: (() => void) | undefined;
  #stop: ((reason: unknown) => void) | undefined;
  /** Whether no more will be written. */
  ended = false;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** Begins to listen. */
  open(ended?: Promise<unknown>): void {
    this.check();
    this.#signal?.addEventListener("abort", this.#abort, { once: true });
    const end = (): void => {
      this.ended = true;
      this.wake();
    };
    if (ended) this.#deaf = onSettled(ended, end);
  }

  /** Stops listening. */
  close(): void {
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#deaf?.();
  }

  /** Makes the reader reject with {@linkcode LEFT}, wherever it is. */
  leave(): void {
    this.#fail(LEFT);
  }

  /** There is something to read, or there may be. */
  wake(): void {
    this.#news = true;
    this.#go?.();
  }

  /** To be called before it is looked whether there is something to read. */
  calm(): void {
    this.check();
    this.#news = false;
  }

  /** Throws when it is over. */
  check(): void {
    this.#signal?.throwIfAborted();
    if (this.#failed) throw this.#failed.reason;
  }

  /** Until there is news since {@linkcode calm}, or the time is over. */
  async pause(ms: number): Promise<void> {
    if (this.#news) return;
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
    this.check();
    const { promise: over, resolve, reject } = Promise.withResolvers<unknown>();
    promise.then(resolve, reject);
    if (wakes) this.#go = () => resolve(undefined);
    this.#stop = reject;
    try {
      return await over;
    } finally {
      this.#go = undefined;
      this.#stop = undefined;
    }
  }

  #fail(reason: unknown): void {
    this.#failed ??= { reason };
    this.#stop?.(reason);
  }
}
