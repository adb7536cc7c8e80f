/** A call without a library: one request on one connection, and one parse. */

export type Bare = (
  method: "GET" | "PUT",
  path: string,
  body?: unknown,
) => Promise<unknown>;

/** Returns the runtime's own way to a socket. */
export function bareTo(socketPath: string): Bare {
  if ("Deno" in globalThis) return denoFetch(socketPath);
  return "Bun" in globalThis ? bunFetch(socketPath) : nodeRequest(socketPath);
}

function denoFetch(path: string): Bare {
  const { createHttpClient } = (globalThis as never)["Deno"] as {
    createHttpClient(options: unknown): unknown;
  };
  const proxy = { transport: "unix", path };
  const client = createHttpClient({ proxy, poolMaxIdlePerHost: 0 });
  return (method, path, body) =>
    send(`http://[100::1]/api/v1/${path}`, { client, method }, body);
}

function bunFetch(unix: string): Bare {
  return (method, path, body) => {
    const init = { unix, keepalive: false, method };
    return send(`http://localhost/api/v1/${path}`, init, body);
  };
}

async function send(url: string, init: object, body: unknown) {
  const sent = body === undefined ? {} : {
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  const text = await (await fetch(url, { ...init, ...sent })).text();
  return text === "" ? undefined : JSON.parse(text);
}

function nodeRequest(socketPath: string): Bare {
  // Imported here, so that a script of Deno or Bun does not load it.
  const http = import("node:http");
  const consumers = import("node:stream/consumers");
  return async (method, path, body) => {
    const { Agent, request } = await http;
    const { text } = await consumers;
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const headers = sent === undefined ? {} : {
      "content-type": "application/json",
      "content-length": new TextEncoder().encode(sent).length,
    };
    const agent = new Agent({ keepAlive: false });
    const options = { socketPath, agent, method, headers };
    const answer = await new Promise<string>((resolve, reject) => {
      request({ ...options, path: `/api/v1/${path}` })
        .on("response", (incoming) => text(incoming).then(resolve, reject))
        .on("error", reject).end(sent);
    });
    return answer === "" ? undefined : JSON.parse(answer);
  };
}
