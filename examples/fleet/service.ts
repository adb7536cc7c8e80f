/** The options and the server of all services. */
import { CloudHypervisorError } from "@chv/cloud-hypervisor";
import { parse, stringify } from "@chv/cloud-hypervisor/json";
import * as restate from "@restatedev/restate-sdk";
import { TerminalError } from "@restatedev/restate-sdk";
import { createServer } from "node:http2";

export { service } from "@restatedev/restate-sdk";

/** Keeps integers of 64 bits exact in requests, results and state. */
const serde: restate.Serde<unknown> = {
  contentType: "application/json",
  serialize: (value) =>
    new TextEncoder().encode(value === undefined ? "" : stringify(value)),
  deserialize: (bytes) =>
    bytes.length > 0 ? parse(new TextDecoder().decode(bytes)) : undefined,
};

export const options: restate.ServiceOptions = {
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
export function refusal(errorCode: number, text: string): TerminalError {
  return new TerminalError(text, { errorCode });
}

/** Serves only requests that the engine has signed, on one address. */
export function serve(
  services: restate.EndpointOptions["services"],
  port: string,
  key: string,
  address = "127.0.0.1",
): void {
  const endpoint = { services, identityKeys: [key], logger: () => {} };
  const handler = restate.createEndpointHandler(endpoint);
  createServer(handler).listen(Number(port), address);
}
