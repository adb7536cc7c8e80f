/** Promises that notice when somebody waits for them. */

/**
 * A promise that calls `onAwait` when somebody awaits it. `onSettled` does not
 * count: the library listens to the end of every VMM.
 */
export class AwaitedPromise<T> extends Promise<T> {
  readonly #onAwait: (() => void) | undefined;

  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  constructor(promise: Promise<T>, onAwait: () => void) {
    super((resolve) => resolve(promise));
    this.#onAwait = onAwait;
  }

  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#onAwait?.();
    return super.then(onFulfilled, onRejected);
  }
}

/** Continues after a promise, without waiting for it. */
export function whenSettled<T, R>(
  promise: Promise<T>,
  next: (value: T) => R,
): Promise<R> {
  return Promise.prototype.then.call(promise, next) as Promise<R>;
}
