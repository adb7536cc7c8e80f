/** The requests of this script that end a VMM, for the report of its end. */
import type { Client } from "../client/create_client.ts";

/** A request that ends a VMM or its VM. */
export type EndRequest =
  | "power-button"
  | "vm.shutdown"
  | "vm.send-migration"
  | "vmm.shutdown"
  | "SIGTERM"
  | "SIGKILL";

/** Notes a request, before it is sent. */
export function noteEndRequest(client: Client, request: EndRequest): void {
  const requests = all.get(client);
  if (requests) requests.push(request);
  else all.set(client, [request]);
}

/** Forgets the requests: a VM that boots afterwards is another one. */
export function forgetEndRequests(client: Client): void {
  all.delete(client);
}

/** The requests so far, oldest first. */
export function endRequestsOf(client: Client): readonly EndRequest[] {
  return all.get(client) ?? [];
}

const all = new WeakMap<Client, EndRequest[]>();
