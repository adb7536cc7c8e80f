/** The schema of an operation's body. */
import { type RequestName, requests } from "../generated/requests.gen.ts";

/** @throws {RangeError} if the operation takes no body. */
export function schemaNameOf(operation: RequestName): string {
  if (Object.hasOwn(requests, operation)) return requests[operation];
  throw new RangeError(
    `no operation with a body is called ${JSON.stringify(String(operation))}`,
  );
}
