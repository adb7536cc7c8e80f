/** Validates the parameters of a migration as each release does. */
import type {
  ReceiveMigrationData,
  SendMigrationData,
} from "../../src/generated/types.gen.ts";
import {
  postcopyViolations,
  receiverViolations,
  senderViolations,
  zoneUpdateViolations,
} from "../../src/schema/rules/migration.ts";
import type { Release } from "../release_type.ts";
import { checkTlsFiles } from "./tls_files.ts";
import { firstChain } from "./validate.ts";

const FLAT = "Error validating receive migration parameters: ";
const FLAT_URL = "receiver_url must use tcp:<host>:<port> or unix:<path>";

/** The end of the error chain for a receiver's parameters. */
export function receiverProblem(
  { receiverWords }: Release,
  body: ReceiveMigrationData,
): string[] | undefined {
  if (receiverWords === "late") return urlProblem(body);
  const flat = receiverWords === "flat";
  for (const { path, context, message } of receiverViolations(body)) {
    if (!flat) return [...context, message];
    if (path !== "receiver_url") return [`${FLAT}${message}.`];
    const [, cause] = [...context, message];
    return [`${FLAT}${FLAT_URL}${cause === undefined ? "" : `: ${cause}`}.`];
  }
  const tls = tlsProblem(body.tls_dir, "server");
  if (tls !== undefined) {
    const words = "nvalid TLS configuration for receive-migration";
    return flat ? [`${FLAT}i${words}: ${tls[0]}`] : [`I${words}`, ...tls];
  }
  return firstChain(zoneUpdateViolations(body));
}

/** The problem of a URL that is read when the VMM begins to listen. */
function urlProblem({ receiver_url: url }: ReceiveMigrationData) {
  const [broken] = receiverViolations({ receiver_url: url });
  if (broken === undefined) return undefined;
  return url.startsWith("tcp:")
    ? ["Error binding to TCP socket", "invalid socket address"]
    : [`Could not extract path from URL: ${url}`];
}

/** The end of the error chain for a sender's parameters. */
export function senderProblem(body: SendMigrationData): string[] | undefined {
  const problem = firstChain(senderViolations(body));
  if (problem !== undefined) return problem;
  const tls = tlsProblem(body.tls_dir, "client");
  if (tls !== undefined) {
    return [`invalid TLS configuration for send-migration: ${tls[0]}`];
  }
  return firstChain(postcopyViolations(body));
}

function tlsProblem(
  directory: string | null | undefined,
  end: "server" | "client",
): readonly string[] | undefined {
  return directory == null ? undefined : checkTlsFiles(directory, end);
}
