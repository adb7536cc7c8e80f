/** A connection to or from the guest, as web streams. */
import type { Socket } from "node:net";
import type { GuestError } from "../../errors/guest_error.ts";
import { toGuestError } from "../unix_socket.ts";

/**
 * A stream connection to the guest; made by `dialVsock` and `listenVsock`.
 *
 * Each direction ends by itself: the guest's end of file closes `readable`
 * and leaves `writable` open, until that is closed too. A VMM that dies looks
 * like the guest's end of file.
 */
export interface VsockConnection extends AsyncDisposable {
  /**
   * The bytes of the guest. A reader that is slow slows the guest down.
   * Cancelling ends the whole connection.
   */
  readonly readable: ReadableStream<Uint8Array>;
  /**
   * The bytes for the guest. A write resolves when the VMM took the bytes, so
   * a guest that does not read delays it. Closing ends this direction only;
   * aborting ends the whole connection.
   */
  readonly writable: WritableStream<Uint8Array>;
  /**
   * The port on the host: for `listenVsock` the port that the script listens
   * on, for `dialVsock` a port that the VMM chose.
   */
  readonly hostPort: number;
  /** Resolves when both directions have ended; never rejects. */
  readonly closed: Promise<void>;
  /** Ends the connection at once; what was not sent is lost. */
  close(): void;
  /** Ends the connection at once, and waits for its end. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes a connection of a paused socket.
 *
 * @param head Bytes that were read already.
 */
export function toVsockConnection(
  socket: Socket,
  path: string,
  hostPort: number,
  head: Uint8Array = new Uint8Array(),
): VsockConnection {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  let failure: unknown;
  socket.on("error", (error) => failure ??= error);
  socket.once("close", () => resolve());
  // One that the script dropped without closing it ends with the guest's side.
  const reason = (): GuestError => toGuestError(failure, path);
  let isClosed = false;
  const close = (): void => {
    isClosed = true;
    socket.destroy();
  };
  return {
    readable: readableOf(socket, head, reason, () => isClosed),
    writable: writableOf(socket, reason),
    hostPort,
    closed,
    close,
    async [Symbol.asyncDispose]() {
      close();
      await closed;
    },
  };
}

function readableOf(
  socket: Socket,
  head: Uint8Array,
  reason: () => GuestError,
  isClosed: () => boolean,
): ReadableStream<Uint8Array> {
  let ended = false;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      if (head.length > 0) controller.enqueue(head);
      const end = (action: () => void): void => {
        if (!ended) action();
        ended = true;
      };
      socket.pause();
      socket.on("data", (chunk: Uint8Array) => {
        if (ended) return;
        // A copy: the runtime's own buffers come from a pool.
        controller.enqueue(new Uint8Array(chunk));
        if ((controller.desiredSize ?? 0) <= 0) socket.pause();
      });
      const fail = (): void => end(() => controller.error(reason()));
      // In Bun, the script's own close() is an end of file, too.
      socket.once("end", () => {
        if (isClosed()) fail();
        else end(() => controller.close());
      });
      socket.once("close", fail);
    },
    pull() {
      socket.resume();
    },
    cancel() {
      ended = true;
      socket.destroy();
    },
  }, { highWaterMark: 1 });
}

function writableOf(
  socket: Socket,
  reason: () => GuestError,
): WritableStream<Uint8Array> {
  let fail: ((error: GuestError) => void) | undefined;
  let ended = false;
  /** Not every runtime calls back when the socket is destroyed. */
  const settled = (
    action: (done: (error?: Error | null) => void) => void,
  ): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      fail = reject;
      action((error) => error ? reject(reason()) : resolve());
    }).finally(() => fail = undefined);
  return new WritableStream<Uint8Array>({
    start(controller) {
      socket.once("close", () => {
        fail?.(reason());
        if (!ended) controller.error(reason());
      });
    },
    write(chunk) {
      if (!(chunk instanceof Uint8Array)) {
        throw new TypeError("a chunk for the guest is not a Uint8Array");
      }
      return settled((done) => socket.write(chunk, done));
    },
    close() {
      return settled((done) => socket.end(() => done())).then(() => {
        ended = true;
      });
    },
    abort() {
      ended = true;
      socket.destroy();
    },
  });
}
