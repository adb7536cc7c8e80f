/** What a script would write without a library: one request, one parse. */

/** Sends a request on a connection of its own; parses what is answered. */
export type Bare = (
  method: "GET" | "PUT",
  path: string,
  body?: unknown,
) => Promise<unknown>;

/** The runtime's own way to the socket. */
export async function bareTo(socketPath: string): Promise<Bare> {
  const { bare } = "Deno" in globalThis
    ? await import("./deno.ts")
    : "Bun" in globalThis
    ? await import("./bun.ts")
    : await import("./node.ts");
  return bare(socketPath);
}
