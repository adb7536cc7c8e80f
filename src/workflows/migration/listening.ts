/** Looks whether something listens at a URL, without connecting to it. */
import { existsSync, readFileSync } from "node:fs";
import { addressOf } from "./urls.ts";

/**
 * Tells whether something listens at a URL of this host, as far as can be known:
 * the file of a Unix socket can stay after its listener, and Deno reads the
 * ports only with `-A` (else the result is undefined). A connection would be
 * taken for the migration.
 */
export function isListening(url: string): boolean | undefined {
  const address = addressOf(url);
  if ("path" in address) return existsSync(address.path);
  try {
    return ["/proc/net/tcp", "/proc/net/tcp6"].some((path) =>
      existsSync(path) && hasPort(readFileSync(path, "utf8"), address.port)
    );
  } catch {
    return undefined;
  }
}

/** Each line has the number, the local address, the peer's and the state. */
function hasPort(table: string, port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return table.split("\n").some((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    return state === LISTEN && local!.endsWith(`:${hex}`);
  });
}

const LISTEN = "0A";
