/** The contract of the bare requests of each runtime. */

/** Sends a request on a connection of its own; parses what is answered. */
export type Bare = (
  method: "GET" | "PUT",
  path: string,
  body?: unknown,
) => Promise<unknown>;
