/** What a script would write without a library: one request, one parse. */

import type { Bare } from "./bare.ts";

/** The runtime's own way to the socket. */
export async function bareTo(socketPath: string): Promise<Bare> {
  const { bare } = "Deno" in globalThis
    ? await import("./deno.ts")
    : "Bun" in globalThis
    ? await import("./bun.ts")
    : await import("./node.ts");
  return bare(socketPath);
}
