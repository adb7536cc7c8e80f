/** A client that gets recorded responses. */
import { CloudHypervisorError, createClient } from "../../mod.ts";
import { operations } from "../../src/generated/api.gen.ts";
import { stringify } from "../../src/json/json.ts";
import type { Exchange } from "./recordings.ts";
import { reply, serve } from "./server.ts";

/** The result of a call: its data, or its error. */
export interface Outcome {
  readonly data?: unknown;
  readonly error?: CloudHypervisorError;
}

/** Makes the calls of exchanges; each gets the response of its exchange. */
export interface ReplayingClient {
  outcomeOf(exchange: Exchange): Promise<Outcome>;
  close(): Promise<void>;
}

type Methods = Record<
  string,
  Record<string, (body?: unknown) => Promise<unknown>>
>;

export async function replayingClient(): Promise<ReplayingClient> {
  let bytes: string | undefined;
  const server = await serve((socket) => {
    if (bytes === undefined) socket.destroy();
    else socket.write(bytes);
  });
  const client = createClient(server.path, { allowFatal: true });

  /** A request that no method makes gets its response as a ping. */
  function call({ method, path = "", body, rawBody }: Exchange) {
    const name = path.replace("/api/v1/", "");
    const operation = Object.values(operations)
      .find((one) => one.name === name && one.method === method);
    const isOwn = operation !== undefined && rawBody === undefined &&
      (!operation.hasBody || typeof body === "object");
    if (!isOwn) return client.vmm.ping();
    const [group = "", words = ""] = name.split(".");
    const camel = words.replaceAll(
      /-./g,
      ([, letter]) => letter!.toUpperCase(),
    );
    const send = (client as unknown as Methods)[group]![camel]!;
    return operation.hasBody ? send(body) : send();
  }

  return {
    async outcomeOf(exchange) {
      const { status, body, text } = exchange.response;
      bytes = status === undefined
        ? undefined
        : status === 204
        ? reply(status)
        : reply(status, text ?? (body == null ? "" : stringify(body)));
      try {
        return { data: await call(exchange) };
      } catch (error) {
        if (!(error instanceof CloudHypervisorError)) throw error;
        return { error };
      }
    },
    close: () => server.close(),
  };
}
