/** What a migration's parameters have to be. */
import type {
  ReceiveMigrationData,
  SendMigrationData,
} from "../../generated/types.gen.ts";
import { addressProblem } from "./migration_url.ts";
import { type Violation, violation } from "./rule.ts";

/** Looks at a directory of certificates; the messages that follow, if any. */
export type LookAtTls = (
  directory: string,
  end: "server" | "client",
) => readonly string[] | undefined;

/** What the releases say differently of a receiver's parameters. */
export type ReceiverWords = "chained" | "flat";

const FLAT = "Error validating receive migration parameters: ";

/** The rules that a receiver's parameters break, in the VMM's order. */
export function* receiverViolations(
  { receiver_url: url, tls_dir, zone_updates }: ReceiveMigrationData,
  words: ReceiverWords,
  lookAtTls: LookAtTls,
): Generator<Violation> {
  const say = (path: string, chained: readonly string[], flat: string) =>
    chain(path, words === "chained" ? chained : [`${FLAT}${flat}.`]);
  const address = addressProblem(url);
  if (address === "prefix") {
    yield say(
      "receiver_url",
      ["Expected receiver_url to either use `tcp` or `unix` prefix"],
      "receiver_url must use tcp:<host>:<port> or unix:<path>",
    );
  } else if (address !== undefined) {
    yield say(
      "receiver_url",
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
      yield say("tls_dir", [message], message);
    }
    const problem = lookAtTls(tls_dir, "server");
    if (problem !== undefined) {
      const message = "nvalid TLS configuration for receive-migration";
      yield chain(
        "tls_dir",
        words === "chained"
          ? [`I${message}`, ...problem]
          : [`${FLAT}i${message}: ${problem[0]}`],
      );
    }
  }
  const ids = (zone_updates ?? []).map(({ id }) => id);
  if (new Set(ids).size < ids.length) {
    const message =
      "More than one update was defined for at least one memory " +
      "zone";
    yield violation("zone_updates", message);
  }
  if (ids.includes("")) {
    const message = "One or more memory zone updates contained an empty ID";
    yield violation("zone_updates", message);
  }
}

const MAX_CONNECTIONS = 128;

type SenderRule = readonly [
  broken: (data: SendMigrationData, unix: boolean) => boolean,
  message: string,
  field: string,
];

const senderRules: readonly SenderRule[] = [
  [
    ({ connections }, unix) => unix && connections! > 1,
    "UNIX sockets and connections option cannot be used at the same time.",
    "connections",
  ],
  [
    ({ tls_dir }, unix) => unix && (tls_dir ?? undefined) !== undefined,
    "UNIX sockets and TLS encryption cannot be used at the same time.",
    "tls_dir",
  ],
  [
    ({ connections }) => connections! > MAX_CONNECTIONS,
    `connections must not exceed ${MAX_CONNECTIONS}.`,
    "connections",
  ],
  [
    ({ local }, unix) => local === true && !unix,
    "local option is only supported with UNIX sockets.",
    "local",
  ],
  [
    ({ preserve_source, local }) => preserve_source === true && !local,
    "preserve_source option is only supported with the local option.",
    "preserve_source",
  ],
];

const postcopyRules: readonly SenderRule[] = [
  [
    ({ memory_mode, local }) => memory_mode === "Postcopy" && local === true,
    "memory_mode=postcopy and local options are mutually exclusive.",
    "memory_mode",
  ],
  [
    ({ memory_mode, connections }) =>
      memory_mode === "Postcopy" && connections! > 1,
    "memory_mode=postcopy currently requires a single connection " +
    "(connections=1).",
    "connections",
  ],
];

const BAD_URL = "destination_url must use tcp:<host>:<port> or unix:<path>.";

/** The rules that a sender's parameters break, in the VMM's order. */
export function* senderViolations(
  data: SendMigrationData,
  lookAtTls: LookAtTls,
): Generator<Violation> {
  const { destination_url: url, tls_dir } = data;
  const address = addressProblem(url);
  if (address !== undefined) {
    const causes = address === "prefix" ? [] : address;
    yield chain("destination_url", [BAD_URL, ...causes]);
  }
  const unix = url.startsWith("unix:");
  yield* ruleViolations(data, unix, senderRules);
  const tls = tls_dir === undefined || tls_dir === null
    ? undefined
    : lookAtTls(tls_dir, "client");
  if (tls !== undefined) {
    const message = "invalid TLS configuration for send-migration";
    yield violation("tls_dir", `${message}: ${tls[0]}`);
  }
  yield* ruleViolations(data, unix, postcopyRules);
}

function* ruleViolations(
  data: SendMigrationData,
  unix: boolean,
  rules: readonly SenderRule[],
): Generator<Violation> {
  for (const [broken, message, field] of rules) {
    if (broken(data, unix)) yield violation(field, message);
  }
}

function chain(path: string, messages: readonly string[]): Violation {
  return violation(path, messages.at(-1)!, "invalid", messages.slice(0, -1));
}
