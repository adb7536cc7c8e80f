/** What a migration's parameters have to be. */
import { statSync } from "node:fs";
import { join } from "node:path";
import type {
  ReceiveMigrationData,
  SendMigrationData,
} from "../../src/generated/types.gen.ts";

/** The messages below the API's own; undefined if nothing is wrong. */
export type Problem = readonly string[] | undefined;

/** What the releases say differently of a receiver's parameters. */
export type ReceiverWords = "chained" | "flat";

const FLAT = "Error validating receive migration parameters: ";

export function receiverProblem(
  { receiver_url: url, tls_dir, zone_updates = [] }: ReceiveMigrationData,
  words: ReceiverWords,
): Problem {
  const say = (chained: readonly string[], flat: string): Problem =>
    words === "chained" ? chained : [`${FLAT}${flat}.`];
  const address = addressProblem(url);
  if (address === "prefix") {
    return say(
      ["Expected receiver_url to either use `tcp` or `unix` prefix"],
      "receiver_url must use tcp:<host>:<port> or unix:<path>",
    );
  }
  if (address !== undefined) {
    return say(
      [
        "Expected receiver_url in the form of either `tcp:<host>:<port>` or " +
        "`unix:<path>:`",
        ...address,
      ],
      `receiver_url must use tcp:<host>:<port> or unix:<path>: ${address[0]}`,
    );
  }
  if (tls_dir !== undefined && tls_dir !== null) {
    if (url.startsWith("unix:")) {
      const message = "UNIX sockets and TLS encryption cannot be used at the " +
        "same time";
      return say([message], message);
    }
    const problem = tlsProblem(tls_dir, "server");
    if (problem !== undefined) {
      return words === "chained"
        ? [
          "Invalid TLS configuration for receive-migration",
          problem,
          ...problem.endsWith(NO_SUCH_FILE) ? [NO_SUCH_FILE] : [],
        ]
        : [
          `${FLAT}invalid TLS configuration for receive-migration: ${problem}`,
        ];
    }
  }
  const ids = new Set(zone_updates.map(({ id }) => id));
  if (ids.size < zone_updates.length) {
    return ["More than one update was defined for at least one memory zone"];
  }
  return ids.has("")
    ? ["One or more memory zone updates contained an empty ID"]
    : undefined;
}

const MAX_CONNECTIONS = 128;

type SenderRule = readonly [
  broken: (data: SendMigrationData, unix: boolean) => boolean,
  message: string,
];

const senderRules: readonly SenderRule[] = [
  [
    ({ connections }, unix) => unix && connections! > 1,
    "UNIX sockets and connections option cannot be used at the same time.",
  ],
  [
    ({ tls_dir }, unix) => unix && (tls_dir ?? undefined) !== undefined,
    "UNIX sockets and TLS encryption cannot be used at the same time.",
  ],
  [
    ({ connections }) => connections! > MAX_CONNECTIONS,
    `connections must not exceed ${MAX_CONNECTIONS}.`,
  ],
  [
    ({ local }, unix) => local === true && !unix,
    "local option is only supported with UNIX sockets.",
  ],
  [
    ({ preserve_source, local }) => preserve_source === true && !local,
    "preserve_source option is only supported with the local option.",
  ],
];

const postcopyRules: readonly SenderRule[] = [
  [
    ({ memory_mode, local }) => memory_mode === "Postcopy" && local === true,
    "memory_mode=postcopy and local options are mutually exclusive.",
  ],
  [
    ({ memory_mode, connections }) =>
      memory_mode === "Postcopy" && connections! > 1,
    "memory_mode=postcopy currently requires a single connection " +
    "(connections=1).",
  ],
];

const SENDER = "Error validating send migration parameters: ";
const BAD_URL = "destination_url must use tcp:<host>:<port> or unix:<path>.";

export function senderProblem(data: SendMigrationData): Problem {
  const { destination_url: url, tls_dir } = data;
  const address = addressProblem(url);
  if (address === "prefix") return [`${SENDER}${BAD_URL}`];
  if (address !== undefined) return [`${SENDER}${BAD_URL}`, ...address];
  const unix = url.startsWith("unix:");
  const first = (rules: readonly SenderRule[]) =>
    rules.find(([broken]) => broken(data, unix))?.[1];
  const tls = tls_dir === undefined || tls_dir === null
    ? undefined
    : tlsProblem(tls_dir, "client");
  const problem = first(senderRules) ??
    (tls && `invalid TLS configuration for send-migration: ${tls}`) ??
    first(postcopyRules);
  return problem === undefined ? undefined : [`${SENDER}${problem}`];
}

/** What is wrong with a URL; `prefix` if it is neither of the two kinds. */
function addressProblem(url: string): "prefix" | readonly string[] | undefined {
  if (url.startsWith("unix:")) {
    return url === "unix:" ? "prefix" : undefined;
  }
  if (!url.startsWith("tcp:")) return "prefix";
  const address = splitAddress(url.slice("tcp:".length));
  if (typeof address === "string") return [address];
  const { host, port } = address;
  if (host === "") return ["Host must not be empty"];
  if (port === "") return ["Port must not be empty"];
  if (/^\+?\d+$/.test(port) && Number(port) <= 0xffff) return undefined;
  return [
    `Invalid TCP port: ${port}`,
    /^\+?\d+$/.test(port)
      ? "number too large to fit in target type"
      : "invalid digit found in string",
  ];
}

/** The two parts of an address, or what is wrong with it. */
export function splitAddress(
  address: string,
): { host: string; port: string } | string {
  if (!address.startsWith("[")) {
    const colon = address.lastIndexOf(":");
    if (colon < 0) return "Missing TCP port";
    return { host: address.slice(0, colon), port: address.slice(colon + 1) };
  }
  const end = address.indexOf("]");
  if (end < 0) return "Missing closing ']' for bracketed IPv6 address";
  if (address[end + 1] !== ":") {
    return "Missing port separator after bracketed host";
  }
  return { host: address.slice(1, end), port: address.slice(end + 2) };
}

const NO_SUCH_FILE = "No such file or directory (os error 2)";

function tlsProblem(
  directory: string,
  end: "server" | "client",
): string | undefined {
  const stat = statSync(directory, { throwIfNoEntry: false });
  if (stat === undefined) {
    return "TLS directory does not exist or is inaccessible: " +
      `${directory}: ${NO_SUCH_FILE}`;
  }
  if (!stat.isDirectory()) {
    return `TLS directory must point to a directory: ${directory}`;
  }
  for (const name of ["ca-cert.pem", `${end}-cert.pem`, `${end}-key.pem`]) {
    const path = join(directory, name);
    const file = statSync(path, { throwIfNoEntry: false });
    if (file?.isFile()) continue;
    return file === undefined
      ? `Missing required TLS file for migration ${end}: ${path}`
      : `Required TLS path for migration ${end} must be a regular file: ${path}`;
  }
  return undefined;
}
