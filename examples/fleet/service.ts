/** The server of all services, and what they share. */
import { CloudHypervisorError } from "@chv/cloud-hypervisor";
import { parse, stringify } from "@chv/cloud-hypervisor/json";
import * as restate from "@restatedev/restate-sdk";
import { createServer } from "node:http2";

export { service } from "@restatedev/restate-sdk";

/** One life of a VM on one host. A move begins the next run on another host. */
export type Run = { vm: string; host: string; run: number };

/** Keeps integers of 64 bits exact in requests, results and state. */
export const serde: restate.Serde<unknown> = {
  contentType: "application/json",
  serialize: (value) =>
    new TextEncoder().encode(value === undefined ? "" : stringify(value)),
  deserialize: (bytes) =>
    bytes.length > 0 ? parse(new TextDecoder().decode(bytes)) : undefined,
};

const defaultServiceOptions: restate.ServiceOptions = {
  serde,
  // All other errors are retried, until the step succeeds or is killed.
  asTerminalError: (error: unknown) =>
    error instanceof CloudHypervisorError && error.retry === "never"
      ? refusal(422, error.message)
      : undefined,
  retryPolicy: { initialInterval: 100, maxInterval: 2000 },
  // A step may take as long as a migration; its next attempt would join it.
  inactivityTimeout: { hours: 1 },
  abortTimeout: { hours: 24 },
};

/** An error that is not retried: 404, 409 and so on, as in HTTP. */
export function refusal(errorCode: number, text: string) {
  return new restate.TerminalError(text, { errorCode });
}

/** Serves only requests that the engine has signed, on one address. */
export function serve(
  services: restate.EndpointOptions["services"],
  port: string,
  key: string,
  address = "127.0.0.1",
) {
  const handler = restate.createEndpointHandler({
    services,
    identityKeys: [key],
    defaultServiceOptions,
    logger: () => {}, // attempts that fail, and are repeated
  });
  createServer(handler).listen(Number(port), address);
}
