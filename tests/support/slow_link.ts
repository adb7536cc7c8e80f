/** A TCP connection that stops in the middle, for migrations between real VMMs. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";

export interface SlowLink {
  /** The URL to send to. */
  readonly url: string;
  /** The connections so far. */
  readonly connections: number;
  /** Resolves when so many bytes were sent that the link stands still. */
  readonly held: Promise<void>;
  /** Lets all further bytes through. */
  release(): void;
  close(): void;
}

/** Passes on what is sent to a port of 127.0.0.1, up to a number of bytes. */
export async function slowLink(
  port: number,
  holdAfter: number = Infinity,
): Promise<SlowLink> {
  const held = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  let left = holdAfter;
  let connections = 0;
  const server = createServer((incoming) => {
    connections++;
    const outgoing = connect(port, "127.0.0.1");
    outgoing.on("error", () => incoming.destroy()).pipe(incoming);
    outgoing.on("close", () => incoming.destroy());
    incoming.on("error", () => outgoing.destroy());
    incoming.on("close", () => outgoing.destroy());
    incoming.on("data", (bytes) => {
      outgoing.write(bytes);
      left -= bytes.length;
      if (left >= 0) return;
      incoming.pause();
      held.resolve();
      void released.promise.then(() => incoming.resume());
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address() as AddressInfo;
  return {
    url: `tcp:127.0.0.1:${address.port}`,
    get connections() {
      return connections;
    },
    held: held.promise,
    release() {
      left = Infinity;
      released.resolve();
    },
    close: () => void server.close(),
  };
}
