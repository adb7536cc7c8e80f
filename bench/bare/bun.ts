import type { Bare } from "./bare.ts";

export function bare(unix: string): Bare {
  return async (method, path, body) => {
    const init = { unix, keepalive: false, method, ...write(body) };
    const response = await fetch(`http://localhost/api/v1/${path}`, init);
    const text = await response.text();
    return text === "" ? undefined : JSON.parse(text);
  };
}

function write(body: unknown): RequestInit {
  if (body === undefined) return {};
  const headers = { "content-type": "application/json" };
  return { headers, body: JSON.stringify(body) };
}
