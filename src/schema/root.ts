/** The schema that a request's body has. */
import { type RequestName, requests } from "../generated/requests.gen.ts";

/** @throws {RangeError} if the operation takes no body. */
export function rootOf(operation: RequestName): string {
  if (Object.hasOwn(requests, operation)) return requests[operation];
  throw new RangeError(`"${operation}" is no operation that takes a body`);
}
