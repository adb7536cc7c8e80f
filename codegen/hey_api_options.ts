/** The options of openapi-ts, each with its reason. */
import type { UserConfig } from "@hey-api/openapi-ts";

export function config(input: object, output: string): UserConfig {
  return {
    input: input as NonNullable<UserConfig["input"]> & object,
    output: {
      path: output,
      module: { extension: ".ts" },
      // A tsconfig somewhere above would change the output.
      tsConfigPath: null,
      entryFile: false,
    },
    logs: { level: "silent", file: false },
    plugins: [
      {
        name: "@hey-api/typescript",
        $resolvers: { number: integer, enum: open },
      },
      // The SDK is an instance, for a client that is handed over in a call
      // is mistaken for an option of Deno's fetch.
      {
        name: "@hey-api/sdk",
        client: false,
        auth: false,
        operations: {
          strategy: "single",
          containerName: "Sdk",
          methods: "instance",
          nesting: (operation: { path: string }) =>
            operation.path.slice(1).split(".").map(camel),
        },
      },
      { name: "@hey-api/client-fetch" },
    ],
  } as unknown as UserConfig;
}

/** The part of openapi-ts' context for a resolver that is used here. */
interface Context {
  $: { type: ((name: string) => unknown) & Factory };
  schema: {
    format?: string;
    items?: { const: string }[];
    "x-js-type"?: "number" | "bigint";
    "x-open"?: "response" | "config";
  };
}

interface Factory {
  or(...types: unknown[]): unknown;
  and(...types: unknown[]): unknown;
  literal(value: string): unknown;
  object(): unknown;
}

/** A 64-bit integer that may pass 2^53 is a number where it fits. */
function integer({ $, schema }: Context): unknown {
  if (schema["x-js-type"] !== undefined) return $.type(schema["x-js-type"]);
  if (schema.format !== "uint64") return $.type("number");
  return $.type.or($.type("number"), $.type("bigint"));
}

/** A later release may return a value that is not in the list. */
function open({ $, schema }: Context): unknown {
  if (schema["x-open"] === undefined) return undefined;
  const listed = schema.items!.map(({ const: value }) => $.type.literal(value));
  const rest = schema["x-open"] === "config"
    ? $.type("UnknownEnumValue")
    : $.type.and($.type("string"), $.type.object());
  return $.type.or(...listed, rest);
}

function camel(word: string): string {
  return word.replaceAll(/-(.)/g, (_, letter) => letter.toUpperCase());
}
