/** Connections that were accepted, and wait for the script. */
import type { Socket } from "node:net";
import type { AbortScope } from "../../wait/abort_scope.ts";
import { toVsockConnection, type VsockConnection } from "./connection.ts";

export class ConnectionQueue {
  readonly #path: string;
  readonly #waiting: VsockConnection[] = [];
  #arrival: PromiseWithResolvers<void> = Promise.withResolvers();
  #end: { readonly reason: unknown; readonly isDone: boolean } | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Adds a paused socket, or closes it where too many wait. */
  add(socket: Socket, port: number): void {
    if (this.#end || this.#waiting.length >= MAX_WAITING) {
      socket.destroy();
      return;
    }
    this.#waiting.push(toVsockConnection(socket, this.#path, port));
    this.#wake();
  }

  /**
   * Ends the queue, and the connections in it.
   *
   * @param isDone An iteration ends; otherwise it rejects with the reason.
   * @returns True at the first call.
   */
  end(reason: unknown, isDone: boolean): boolean {
    if (this.#end) return false;
    this.#end = { reason, isDone };
    for (const connection of this.#waiting.splice(0)) connection.close();
    this.#wake();
    return true;
  }

  /** The next connection; rejects with what ended the queue or the scope. */
  async take(scope: AbortScope): Promise<VsockConnection> {
    for (;;) {
      scope.signal.throwIfAborted();
      const connection = this.#waiting.shift();
      if (connection) return connection;
      if (this.#end) throw this.#end.reason;
      await scope.race(this.#arrival.promise);
    }
  }

  iterate(): AsyncIterator<VsockConnection, undefined> {
    let left = false;
    const { promise: leaving, resolve: leave } = Promise.withResolvers<void>();
    const done = { done: true, value: undefined } as const;
    return {
      next: async () => {
        for (;;) {
          if (left) return done;
          const value = this.#waiting.shift();
          if (value) return { done: false, value };
          if (this.#end?.isDone) return done;
          if (this.#end) throw this.#end.reason;
          await Promise.race([this.#arrival.promise, leaving]);
        }
      },
      return() {
        left = true;
        leave();
        return Promise.resolve(done);
      },
    };
  }

  #wake(): void {
    this.#arrival.resolve();
    this.#arrival = Promise.withResolvers();
  }
}

/** The VMM has at most 1023 connections of one guest. */
const MAX_WAITING = 64;
