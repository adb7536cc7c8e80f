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

/** An operation in the generated table, which every script loads: short. */
export type OperationEntry = readonly [
  deadlineMs: number,
  hasBody: boolean,
  marks?: Partial<Operation>,
];

/** Makes the operations of the generated table. */
export function toOperations<Name extends string>(
  table: { readonly [name in Name]: OperationEntry },
): { readonly [name in Name]: Operation<name> } {
  const operations = Object.entries<OperationEntry>(table).map((
    [name, [deadlineMs, hasBody, marks]],
  ) => [name, {
    name,
    method: "PUT",
    path: `/api/v1/${name}`,
    deadlineMs,
    hasBody,
    returns: "nothing",
    bigint: false,
    mayClose: false,
    ...marks,
  }]);
  return Object.fromEntries(operations);
}

/** Makes a call; `createClient` gives the generated methods such a function. */
export type Call<Name extends string = string> = <T>(
  operation: Operation<Name>,
  body: unknown,
  options: CallOptions | undefined,
) => Promise<T>;

/** The two kinds of methods that a call function makes. */
export interface Methods<Name extends string> {
  /** A method of an operation without a body. */
  plain<T>(operation: Operation<Name>): (options?: CallOptions) => Promise<T>;
  /** A method of an operation with a body. */
  withBody<B, T>(
    operation: Operation<Name>,
  ): (body: B, options?: CallOptions) => Promise<T>;
}

/** Makes methods that need no `this`. */
export function methodsOf<Name extends string>(
  call: Call<Name>,
): Methods<Name> {
  return {
    plain: (operation) => (options) => call(operation, undefined, options),
    withBody: (operation) => (body, options) => call(operation, body, options),
  };
}
