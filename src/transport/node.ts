/** Node's fetch has no option for a socket: this one is made of node:http. */
import { Buffer } from "node:buffer";
import { Agent, type IncomingMessage, request as send } from "node:http";
import type { ConnectionErrorCode } from "../errors.ts";
import { MAX_BODY_BYTES, ORIGIN, type Request, type Transport } from "./mod.ts";

export function connect(socketPath: string): Transport {
  // node:http, too, sends a PUT again in some runtimes when it pools.
  const agent = new Agent({ keepAlive: false });

  return {
    fetch: (url: string, request: Request): Promise<Response> =>
      new Promise((resolve, reject) => {
        const { method, body, signal } = request;
        const headers = request.headers instanceof Headers
          ? Object.fromEntries(request.headers)
          : { ...request.headers };
        if (body !== undefined) {
          // Without it Node would send the body in chunks.
          headers["content-length"] = `${Buffer.byteLength(body)}`;
        }
        const path = url.slice(ORIGIN.length);
        send({
          socketPath,
          agent,
          method,
          path,
          headers,
          ...(signal && { signal }),
        }, (incoming) => receive(incoming).then(resolve, reject))
          .on("error", reject)
          .end(body);
      }),
    fault,
    close() {
      agent.destroy();
    },
  };
}

async function receive(incoming: IncomingMessage): Promise<Response> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new RangeError("The body is too large");
    chunks.push(chunk);
  }
  const status = incoming.statusCode!;
  const headers = new Headers();
  for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
    headers.append(incoming.rawHeaders[i]!, incoming.rawHeaders[i + 1]!);
  }
  const body = BODILESS.has(status) ? null : Buffer.concat(chunks);
  return new Response(body, { status, headers });
}

function fault(error: unknown): ConnectionErrorCode {
  const { code = "" } = error as { code?: string };
  // A status that no Response can have, or a body without end.
  if (error instanceof RangeError) return "not_http";
  if (code === "HPE_INVALID_EOF_STATE") return "closed";
  return CODES[code] ?? (code.startsWith("HPE_") ? "not_http" : "closed");
}

const CODES: { readonly [code: string]: ConnectionErrorCode } = {
  ENOENT: "socket_missing",
  ENOTDIR: "socket_missing",
  ECONNREFUSED: "refused",
  EACCES: "permission_denied",
  EPERM: "permission_denied",
};

/** Statuses with which a Response takes no body. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);
