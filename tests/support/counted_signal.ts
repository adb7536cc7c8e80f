/** An abort signal that counts its listeners. */

export interface CountedSignal {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** Listeners that were added, and neither removed nor called. */
  readonly listeners: number;
}

export function createCountedSignal(): CountedSignal {
  const controller = new AbortController();
  const { signal } = controller;
  const active = new Set<unknown>();
  const { addEventListener, removeEventListener } = signal;
  Object.assign(signal, {
    addEventListener(...args: Parameters<typeof addEventListener>) {
      active.add(args[1]);
      addEventListener.apply(signal, args);
    },
    removeEventListener(...args: Parameters<typeof removeEventListener>) {
      active.delete(args[1]);
      removeEventListener.apply(signal, args);
    },
  });
  return {
    signal,
    abort(reason) {
      controller.abort(reason);
      active.clear();
    },
    get listeners() {
      return active.size;
    },
  };
}
