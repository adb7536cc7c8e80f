/**
 * The refusal of a VMM whose connections are all taken. The VMM answers 503 and
 * closes the connection before it reads the request, and the runtimes then
 * report the failed write in place of the response.
 */

/**
 * Connects without a request, and returns the refusal that arrives. A VMM that
 * stays silent has a free connection again: the refusal was that of a moment
 * ago. Undefined if the program that listens answers in another way.
 */
export function readRefusal(socketPath: string): Promise<Response | undefined> {
  const { connect } = process.getBuiltinModule("node:net");
  return new Promise((resolve) => {
    let text = "";
    const end = (isFull: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      const body = text.split("\r\n\r\n")[1] || "all connections were taken";
      resolve(isFull ? new Response(body, { status: 503 }) : undefined);
    };
    const socket = connect(socketPath)
      .on("data", (chunk: Uint8Array) => text += chunk)
      // Bun loses the response of a connection that has ended already.
      .on(
        "error",
        ({ code = "" }: { code?: string }) =>
          end(code === "EAGAIN" || code === "ECONNRESET"),
      )
      .on("close", () => end(/^HTTP\/1.1 503\b/.test(text)));
    const timer = setTimeout(end, SILENCE_MS, true);
  });
}

/** A VMM that is full answers within a millisecond. */
const SILENCE_MS = 50;
