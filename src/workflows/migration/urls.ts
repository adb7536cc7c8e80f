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
    for (const address of [url, receiverUrl]) {
      if (address === undefined || ADDRESS.test(address)) continue;
      throw new InvalidRequestError(
        "invalid_request",
        "url",
        `"${address}" is neither unix:<path> nor tcp:<address>:<port>`,
      );
    }
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

const ADDRESS = /^(unix:.|tcp:.+:\d+$)/;
