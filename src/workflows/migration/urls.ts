/** The addresses of a migration. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidRequestError } from "../../errors/errors.ts";

/** The addresses of both sides, and the directory of a default socket. */
export class MigrationUrls {
  /** The address to which the source sends. */
  readonly url: string;
  /** The address on which the destination listens. */
  readonly receiver: string;
  readonly #directory: string | undefined;

  /** @throws {InvalidRequestError} `url` when a URL is not an address. */
  constructor(url: string | undefined, receiverUrl: string | undefined) {
    if (url !== undefined) checkUrl(url);
    if (receiverUrl !== undefined) checkUrl(receiverUrl);
    if (url === undefined) {
      this.#directory = mkdtempSync(join(tmpdir(), "chv-migration-"));
    }
    this.url = url ?? `unix:${this.#directory}/socket`;
    this.receiver = receiverUrl ?? this.url;
  }

  /** Removes the directory of the default socket. */
  remove(): void {
    if (this.#directory === undefined) return;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** @throws {InvalidRequestError} `url` when a URL is not an address. */
export function checkUrl(url: string): string {
  if (ADDRESS.test(url)) return url;
  throw new InvalidRequestError(
    "invalid_request",
    "url",
    `"${url}" is neither unix:<path> nor tcp:<address>:<port>`,
  );
}

/** The address of a URL, as `connect` of `node:net` takes it. */
export function addressOf(
  url: string,
): { path: string } | { host: string; port: number } {
  if (url.startsWith("unix:")) return { path: url.slice("unix:".length) };
  const [, host = "", port] = /^tcp:(.*):(\d+)$/.exec(url) ?? [];
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port) };
}

const ADDRESS = /^(unix:.|tcp:.+:\d+$)/;
