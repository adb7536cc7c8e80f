/**
 * Limits the connections that are open at once; other calls wait in line.
 *
 * The VMM has ten connections for everybody, and notices that one was closed
 * only when it looks for new ones, in the same round: a connection counts for
 * a while after its call has ended. An answer to a request that began after it
 * was closed proves that the VMM has noticed.
 */
export class ConnectionLimiter {
  readonly #limit: number;
  readonly #maxCounted: number;
  readonly #waiting: Set<() => void> = new Set();
  /** For each connection that may still count: how many began before its end. */
  readonly #unconfirmed: number[] = [];
  #running = 0;
  #started = 0;

  constructor(limit: number) {
    this.#limit = limit;
    // One more, not as many as there are: another client counts as many.
    this.#maxCounted = Math.min(limit + 1, MAX_COUNTED);
  }

  /**
   * Takes a slot: at once (a number), or when it is this caller's turn. The
   * number is for {@linkcode ConnectionLimiter.release}. Rejects with the signal's reason, and
   * then holds nothing.
   */
  acquire(signal: AbortSignal | undefined): number | Promise<number> {
    if (this.#waiting.size === 0 && this.#hasRoom()) return this.#start();
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(enter);
        reject(signal!.reason);
      };
      const enter = () => {
        signal?.removeEventListener("abort", leave);
        resolve(this.#start());
      };
      this.#waiting.add(enter);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }

  /** Gives a slot back; `answered` if the VMM was heard on it. */
  release(slot: number, answered: boolean): void {
    this.#running--;
    const lingering = this.#unconfirmed;
    if (answered) {
      while (lingering.length > 0 && lingering[0]! < slot) lingering.shift();
    }
    lingering.push(this.#started);
    for (const enter of this.#waiting) {
      if (!this.#hasRoom()) break;
      this.#waiting.delete(enter);
      enter();
    }
  }

  #hasRoom(): boolean {
    if (this.#running === 0) return true;
    return this.#running < this.#limit &&
      this.#running + this.#unconfirmed.length < this.#maxCounted;
  }

  #start(): number {
    this.#running++;
    return ++this.#started;
  }
}

/** Leaves one of the VMM's ten to somebody else. */
const MAX_COUNTED = 9;
