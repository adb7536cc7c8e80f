/** A TCP port for a test. */
import { createServer } from "node:net";

/** Returns a port of 127.0.0.1 that the kernel has just found free. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}
