/** `vm.receive-migration` and `vm.send-migration`. */
import type {
  ReceiveMigrationData,
  SendMigrationData,
} from "../../generated/types.gen.ts";
import { addressProblem } from "./migration_url.ts";
import { type Violation, violation } from "./rule.ts";

/** The rules before the VMM checks the files of a `tls_dir`. */
export function* receiverViolations(
  { receiver_url: url, tls_dir }: ReceiveMigrationData,
): Generator<Violation> {
  const address = addressProblem(url);
  if (address === "prefix") {
    yield chain("receiver_url", [
      "Expected receiver_url to either use `tcp` or `unix` prefix",
    ]);
  } else if (address !== undefined) {
    yield chain("receiver_url", [
      "Expected receiver_url in the form of either `tcp:<host>:<port>` or " +
      "`unix:<path>:`",
      ...address,
    ]);
  }
  if (tls_dir == null || !url.startsWith("unix:")) return;
  const message = "UNIX sockets and TLS encryption cannot be used at the " +
    "same time";
  yield violation("tls_dir", message);
}

/** The rules about the memory zones of a receiver. */
export function* zoneUpdateViolations(
  { zone_updates }: ReceiveMigrationData,
): Generator<Violation> {
  const ids = (zone_updates ?? []).map(({ id }) => id);
  if (new Set(ids).size < ids.length) {
    const message =
      "More than one update was defined for at least one memory zone";
    yield violation("zone_updates", message);
  }
  if (ids.includes("")) {
    const message = "One or more memory zone updates contained an empty ID";
    yield violation("zone_updates", message);
  }
}

const MAX_CONNECTIONS = 128;

interface SenderRule {
  readonly field: string;
  readonly when: (data: SendMigrationData, unix: boolean) => boolean;
  readonly message: string;
}

const senderRules: readonly SenderRule[] = [
  {
    field: "connections",
    when: ({ connections }, unix) => unix && connections! > 1,
    message:
      "UNIX sockets and connections option cannot be used at the same time.",
  },
  {
    field: "tls_dir",
    when: ({ tls_dir }, unix) => unix && tls_dir != null,
    message: "UNIX sockets and TLS encryption cannot be used at the same time.",
  },
  {
    field: "connections",
    when: ({ connections }) => connections! > MAX_CONNECTIONS,
    message: `connections must not exceed ${MAX_CONNECTIONS}.`,
  },
  {
    field: "local",
    when: ({ local }, unix) => local === true && !unix,
    message: "local option is only supported with UNIX sockets.",
  },
  {
    field: "preserve_source",
    when: ({ preserve_source, local }) => preserve_source === true && !local,
    message: "preserve_source option is only supported with the local option.",
  },
];

const postcopyRules: readonly SenderRule[] = [
  {
    field: "memory_mode",
    when: ({ memory_mode, local }) =>
      memory_mode === "Postcopy" && local === true,
    message: "memory_mode=postcopy and local options are mutually exclusive.",
  },
  {
    field: "connections",
    when: ({ memory_mode, connections }) =>
      memory_mode === "Postcopy" && connections! > 1,
    message: "memory_mode=postcopy currently requires a single connection " +
      "(connections=1).",
  },
];

const INVALID_URL =
  "destination_url must use tcp:<host>:<port> or unix:<path>.";

/** The rules before the VMM checks the files of a `tls_dir`. */
export function* senderViolations(
  data: SendMigrationData,
): Generator<Violation> {
  const address = addressProblem(data.destination_url);
  if (address !== undefined) {
    const causes = address === "prefix" ? [] : address;
    yield chain("destination_url", [INVALID_URL, ...causes]);
  }
  yield* brokenRules(data, senderRules);
}

/** The rules about the memory mode of a sender. */
export function postcopyViolations(
  data: SendMigrationData,
): Iterable<Violation> {
  return brokenRules(data, postcopyRules);
}

function* brokenRules(
  data: SendMigrationData,
  rules: readonly SenderRule[],
): Generator<Violation> {
  const unix = data.destination_url.startsWith("unix:");
  for (const { field, when, message } of rules) {
    if (when(data, unix)) yield violation(field, message);
  }
}

function chain(path: string, messages: readonly string[]): Violation {
  return violation(path, messages.at(-1)!, { context: messages.slice(0, -1) });
}
