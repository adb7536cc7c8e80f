/**
 * Selects the transport of the current runtime. The three implementations
 * export the same function, so a diff of two files lists their differences.
 */
import type { Transport } from "./transport.ts";

/** The transport of the current runtime. Opens no connection. */
export async function transportTo(socketPath: string): Promise<Transport> {
  const { connect } = "Deno" in globalThis
    ? await import("./deno.ts")
    : "Bun" in globalThis
    ? await import("./bun.ts")
    : await import("./node.ts");
  return connect(socketPath);
}
