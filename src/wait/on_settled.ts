/**
 * Listeners on a long-lived promise. A promise keeps each callback of `then`
 * until it settles; these listeners can be removed.
 */

type Listener = (value: unknown) => void;

interface Subscribers {
  readonly listeners: Set<Listener>;
  settled?: { readonly value: unknown };
}

/**
 * Calls the listener when the promise has settled, with its value, or with
 * undefined after a rejection. The returned function removes the listener.
 */
export function onSettled(
  promise: Promise<unknown>,
  listener: (value: unknown) => void,
): () => void {
  const subscribers = all.get(promise) ?? subscribe(promise);
  // A function that is registered twice is called twice.
  const entry: Listener = (value) => listener(value);
  subscribers.listeners.add(entry);
  if (subscribers.settled) queueMicrotask(() => notify(subscribers, entry));
  return () => void subscribers.listeners.delete(entry);
}

function subscribe(promise: Promise<unknown>): Subscribers {
  const subscribers: Subscribers = { listeners: new Set() };
  all.set(promise, subscribers);
  const notifyAll = (value?: unknown): void => {
    subscribers.settled = { value };
    for (const listener of [...subscribers.listeners]) {
      notify(subscribers, listener);
    }
  };
  // Not the method of a subclass: listeners do not count as waiting.
  Promise.prototype.then.call(promise, notifyAll, () => notifyAll());
  return subscribers;
}

function notify({ listeners, settled }: Subscribers, listener: Listener): void {
  if (listeners.delete(listener)) listener(settled?.value);
}

const all = new WeakMap<Promise<unknown>, Subscribers>();
