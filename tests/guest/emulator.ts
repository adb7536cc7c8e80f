/** The host's side of a vsock device, without a VMM. */
import { createServer, type Socket } from "node:net";

/** A vsock socket, and what listens behind it. */
export interface VsockEmulator {
  readonly path: string;
  /** The connections that are open. */
  readonly sockets: Set<Socket>;
  close(): Promise<void>;
}

/**
 * Listens as the VMM does: reads `CONNECT <port>`, and answers with `OK`.
 *
 * @param handler Undefined is a guest without a listener on the port.
 */
export async function emulateVsock(
  path: string,
  handler: (port: number) => ((socket: Socket) => void) | undefined,
): Promise<VsockEmulator> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    let text = "";
    const onData = (chunk: Uint8Array): void => {
      text += new TextDecoder("latin1").decode(chunk);
      const end = text.indexOf("\n");
      if (end < 0) return;
      socket.off("data", onData);
      socket.pause();
      const port = Number(/^CONNECT (\d+)$/.exec(text.slice(0, end))?.[1]);
      const accepted = handler(port);
      if (!accepted) return void socket.destroy();
      const rest = text.slice(end + 1);
      if (rest !== "") socket.unshift(new TextEncoder().encode(rest));
      socket.write("OK 1073741824\n");
      accepted(socket);
    };
    socket.on("data", onData);
    // A client of a serial port asks for nothing, and ends its side first.
    socket.on("end", () => text.includes("\n") || socket.end());
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    path,
    sockets,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
