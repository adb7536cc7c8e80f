import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import type { Bare } from "./bare.ts";

export function bare(socketPath: string): Bare {
  const agent = new Agent({ keepAlive: false });
  return async (method, path, body) => {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const headers = sent === undefined ? {} : {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(sent),
    };
    const options = { socketPath, agent, method, headers };
    const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
      request({ ...options, path: `/api/v1/${path}` })
        .on("response", resolve).on("error", reject).end(sent);
    });
    const answer = await text(incoming);
    return answer === "" ? undefined : JSON.parse(answer);
  };
}
