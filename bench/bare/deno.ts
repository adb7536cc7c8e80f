import type { Bare } from "./bare.ts";

export function bare(path: string): Bare {
  const deno = (globalThis as never)["Deno"] as {
    createHttpClient(options: unknown): unknown;
  };
  const client = deno.createHttpClient({
    proxy: { transport: "unix", path },
    poolMaxIdlePerHost: 0,
  });
  return async (method, path, body) => {
    const init = { client, method, ...write(body) };
    const response = await fetch(`http://192.0.2.1/api/v1/${path}`, init);
    const text = await response.text();
    return text === "" ? undefined : JSON.parse(text);
  };
}

function write(body: unknown): RequestInit {
  if (body === undefined) return {};
  const headers = { "content-type": "application/json" };
  return { headers, body: JSON.stringify(body) };
}
