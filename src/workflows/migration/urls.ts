/** Where a VM travels, when it is migrated. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidRequestError } from "../../errors/errors.ts";

/** The addresses of both sides, and the directory of a socket of its own. */
export class MigrationUrls {
  readonly url: string;
  readonly receiver: string;
  readonly #directory: string | undefined;

  /** @throws {InvalidRequestError} `url`, if one of them is no address. */
  constructor(url: string | undefined, receiverUrl: string | undefined) {
    for (const given of [url, receiverUrl]) {
      if (given === undefined || /^(unix:.|tcp:.+:\d+$)/.test(given)) continue;
      throw new InvalidRequestError(
        "invalid_request",
        "url",
        `"${given}" is neither unix:<path> nor tcp:<address>:<port>`,
      );
    }
    if (url === undefined) {
      this.#directory = mkdtempSync(join(tmpdir(), "chv-migration-"));
    }
    this.url = url ?? `unix:${this.#directory}/socket`;
    this.receiver = receiverUrl ?? this.url;
  }

  remove(): void {
    if (this.#directory === undefined) return;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
