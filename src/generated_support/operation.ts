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
  /** The first release that has the operation, if not all have it. */
  readonly since?: string;
  /** The feature of the builds that have the operation, if not all have it. */
  readonly feature?: string;
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

/** Methods by group and name, such as `vm` and `addDisk`; none needs `this`. */
export type Methods = Record<string, Record<string, unknown>>;

/** Makes the methods of all operations; a method is named as its path. */
export function toMethods<Name extends string>(
  operations: { readonly [name in Name]: Operation<name> },
  call: Call<Name>,
): Methods {
  const methods: Methods = {};
  for (const operation of Object.values<Operation<Name>>(operations)) {
    const [group = "", words = ""] = operation.name.split(".");
    const name = words.replaceAll(/-./g, ([, letter]) => letter!.toUpperCase());
    (methods[group] ??= {})[name] = operation.hasBody
      ? (body: unknown, options?: CallOptions) => call(operation, body, options)
      : (options?: CallOptions) => call(operation, undefined, options);
  }
  return methods;
}
