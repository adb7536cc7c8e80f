/** Node's fetch has no option for a socket: this one is made of node:http. */
import type { ClientRequest, IncomingMessage } from "node:http";
import type { ConnectionErrorCode } from "../errors/error_code.ts";
import { systemCodes } from "./system_codes.ts";
import { MAX_BODY_BYTES, OversizeError } from "./body_limit.ts";
import {
  ORIGIN,
  type Transport,
  type TransportRequest,
  type TransportResponse,
} from "./transport.ts";

// Not imported: a bundle for browsers would hold 200 KB in their place.
const { Buffer } = process.getBuiltinModule("node:buffer");
const { Agent, request: send } = process.getBuiltinModule("node:http");

export function connect(socketPath: string): Transport {
  // node:http, too, sends a PUT again in some runtimes when it pools.
  const agent = new Agent({ keepAlive: false });

  return {
    fetch: (
      url: string,
      request: TransportRequest,
    ): Promise<TransportResponse> =>
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
        const sent = send({ socketPath, agent, method, path, headers })
          .on("response", (incoming) => {
            receive(sent, incoming, resolve, reject);
          })
          // Without a listener, a 101 ends the request without a word.
          .on("upgrade", (_, socket) => {
            socket.destroy();
            reject(Object.assign(new Error("a 101"), { code: "HPE_UPGRADE" }));
          })
          .on("error", reject);
        // Its own option for a signal costs a third of a ping.
        const abort = (): void => void sent.destroy();
        signal?.addEventListener("abort", abort);
        sent.on("close", () => signal?.removeEventListener("abort", abort))
          .end(body);
      }),
    errorCodeOf,
    isUnsent,
    close() {
      agent.destroy();
    },
  };
}

function receive(
  sent: ClientRequest,
  incoming: IncomingMessage,
  resolve: (reply: TransportResponse) => void,
  reject: (error: unknown) => void,
): void {
  const chunks: Uint8Array[] = [];
  let size = 0;
  incoming.on("data", (chunk: Uint8Array) => {
    size += chunk.length;
    chunks.push(chunk);
    if (size > MAX_BODY_BYTES) incoming.destroy(new OversizeError());
  }).on("error", reject).on("end", () => {
    // Who answers before the whole body is there may take no more of it.
    if (!sent.writableFinished) incoming.socket.destroy();
    resolve(new NodeResponse(incoming, chunks));
  });
}

class NodeResponse implements TransportResponse {
  readonly status: number;
  readonly #incoming: IncomingMessage;
  readonly #chunks: Uint8Array[];

  constructor(incoming: IncomingMessage, chunks: Uint8Array[]) {
    this.status = incoming.statusCode!;
    this.#incoming = incoming;
    this.#chunks = chunks;
  }

  onClosed(listener: () => void): void {
    const { socket } = this.#incoming;
    if (socket.closed) listener();
    else socket.once("close", listener);
  }

  get headers(): Headers {
    const headers = new Headers();
    const { rawHeaders: raw } = this.#incoming;
    for (let i = 0; i < raw.length; i += 2) {
      headers.append(raw[i]!, raw[i + 1]!);
    }
    return headers;
  }

  // deno-lint-ignore require-await -- as a Response has it
  async text(): Promise<string> {
    const text = Buffer.concat(this.#chunks).toString();
    // As a Response does.
    return text.startsWith("\ufeff") ? text.slice(1) : text;
  }

  // deno-lint-ignore require-await -- as a Response has it
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return Buffer.concat(this.#chunks);
  }
}

function errorCodeOf(error: unknown): ConnectionErrorCode {
  const { code = "" } = error as { code?: string };
  if (code === "HPE_INVALID_EOF_STATE") return "closed";
  return systemCodes[code] ?? (code.startsWith("HPE_") ? "not_http" : "closed");
}

/** Only a write fails so, and the VMM reads no request that is not whole. */
function isUnsent(error: unknown): boolean {
  const { code = "" } = error as { code?: string };
  return code === "EPIPE" || code === "EAGAIN";
}
