/** The contract of the generated operations and the client that sends them. */
import type { CallOptions } from "./call_options.ts";

/** An operation of the API, as far as the client has to know it. */
export interface Operation<Name extends string = string> {
  /** The wire name, such as `vm.add-disk`. */
  readonly name: Name;
  readonly method: "GET" | "PUT";
  /** The path of the URL. */
  readonly path: string;
  /** The deadline in milliseconds; `Infinity` is none. */
  readonly deadlineMs: number;
  readonly hasBody: boolean;
  /** A successful response has data always, sometimes, or never. */
  readonly returns: "data" | "maybe" | "nothing";
  /** Every number of the response is a bigint. */
  readonly bigint: boolean;
  /** A connection that ends before the response is no failure. */
  readonly mayClose: boolean;
}

/** Describes an operation. Short, because every script loads the table. */
export function operation<Name extends string>(
  name: Name,
  method: "GET" | "PUT",
  deadlineMs: number,
  hasBody: boolean,
  returns: Operation["returns"],
  marks: { bigint?: boolean; mayClose?: boolean } = {},
): Operation<Name> {
  const path = `/api/v1/${name}`;
  const { bigint = false, mayClose = false } = marks;
  return {
    name,
    method,
    path,
    deadlineMs,
    hasBody,
    returns,
    bigint,
    mayClose,
  };
}

/** Makes a call; `createClient` gives the generated methods such a function. */
export type Call<Name extends string = string> = <T>(
  operation: Operation<Name>,
  body: unknown,
  options: CallOptions | undefined,
) => Promise<T>;
