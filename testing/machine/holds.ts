/** Resources of the host that the devices of a VM use: sockets, taps, locks. */

/** Functions that free resources, by device id. */
export class Holds {
  readonly #resources = new Map<string, () => void>();
  readonly #locks = new Map<string, () => void>();

  /** Registers a resource, which is freed together with its device. */
  add(id: string, free: () => void): void {
    this.#resources.set(id, free);
  }

  /** Registers the lock of an image. */
  addLock(id: string, unlock: () => void): void {
    this.#locks.set(id, unlock);
  }

  /** Frees what one device holds. */
  free(id: string): void {
    for (const holds of [this.#resources, this.#locks]) {
      holds.get(id)?.();
      holds.delete(id);
    }
  }

  /** Releases the locks of all images. */
  unlockAll(): void {
    for (const unlock of this.#locks.values()) unlock();
    this.#locks.clear();
  }

  /** Frees everything. */
  freeAll(): void {
    this.unlockAll();
    for (const free of this.#resources.values()) free();
    this.#resources.clear();
  }
}
