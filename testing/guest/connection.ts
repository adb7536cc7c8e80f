/** A vsock connection, as the scripted guest has it. */
import type { Socket } from "node:net";
import { HostClosed } from "./call_script.ts";

/** The guest's end of a vsock connection. */
export interface GuestConnection {
  /** The bytes from the host. */
  readonly readable: ReadableStream<Uint8Array>;
  /** The bytes for the host. Closing ends this direction only. */
  readonly writable: WritableStream<Uint8Array>;
  /** Ends the connection at once. */
  close(): void;
}

/** Makes the guest's end of a paused socket; `head` was read already. */
export function toGuestConnection(
  socket: Socket,
  head: Uint8Array,
): GuestConnection {
  let ended = false;
  const readable = new ReadableStream<Uint8Array>({
    start(controller) {
      const end = (): void => {
        if (!ended) controller.close();
        ended = true;
      };
      if (head.length > 0) controller.enqueue(head);
      socket.pause();
      socket.on("data", (chunk: Uint8Array) => {
        if (ended) return;
        controller.enqueue(new Uint8Array(chunk));
        if ((controller.desiredSize ?? 0) <= 0) socket.pause();
      });
      socket.once("end", end);
      socket.once("close", end);
    },
    pull: () => void socket.resume(),
    cancel() {
      ended = true;
      socket.destroy();
    },
  }, { highWaterMark: 1 });
  // Not every runtime calls back when the socket is destroyed.
  const settled = (
    action: (done: (error?: Error | null) => void) => void,
  ): Promise<void> =>
    new Promise((resolve, reject) => {
      const fail = (): void => reject(new HostClosed("the host has closed"));
      if (socket.destroyed) return fail();
      socket.once("close", fail);
      action((error) => {
        socket.off("close", fail);
        error ? fail() : resolve();
      });
    });
  const writable = new WritableStream<Uint8Array>({
    write: (chunk) => settled((done) => socket.write(chunk, done)),
    close: () => settled((done) => socket.end(() => done())),
    abort: () => void socket.destroy(),
  });
  return { readable, writable, close: () => void socket.destroy() };
}
