/**
 * Listeners of a promise that may be long in coming. A promise keeps every
 * callback that it was ever given; of these, those that left are let go.
 */

type Listener = (value: unknown) => void;

interface Watched {
  readonly listeners: Set<Listener>;
  settled?: { readonly value: unknown };
}

/**
 * Calls back once the promise has settled, with its value or undefined, unless
 * the result was called before.
 */
export function onSettled(
  promise: Promise<unknown>,
  listener: (value: unknown) => void,
): () => void {
  const watched = all.get(promise) ?? watch(promise);
  // Two registrations of one function are two.
  const own: Listener = (value) => listener(value);
  watched.listeners.add(own);
  if (watched.settled) queueMicrotask(() => notify(watched, own));
  return () => void watched.listeners.delete(own);
}

function watch(promise: Promise<unknown>): Watched {
  const watched: Watched = { listeners: new Set() };
  all.set(promise, watched);
  const settle = (value?: unknown): void => {
    watched.settled = { value };
    for (const listener of [...watched.listeners]) notify(watched, listener);
  };
  promise.then(settle, () => settle());
  return watched;
}

function notify({ listeners, settled }: Watched, listener: Listener): void {
  if (listeners.delete(listener)) listener(settled?.value);
}

const all = new WeakMap<Promise<unknown>, Watched>();
