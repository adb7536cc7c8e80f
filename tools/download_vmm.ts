/**
 * Downloads a released VMM that `tools/vmm_releases.json` names, for the tests
 * that need a real VMM: `deno task download-vmm RELEASE PATH`.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import process from "node:process";
import pinned from "./vmm_releases.json" with { type: "json" };

const ORIGIN =
  "https://github.com/cloud-hypervisor/cloud-hypervisor/releases/download";

/** Names one file of a release, and the content that it must have. */
export interface PinnedFile {
  readonly release: string;
  readonly asset: string;
  /** Hexadecimal; empty until somebody has verified a download. */
  readonly sha256: string;
}

/** Writes the file to `path`, unless its SHA-256 is another than the pinned. */
export async function download(
  { release, asset, sha256 }: PinnedFile,
  path: string,
  origin: string = ORIGIN,
): Promise<void> {
  const url = `${origin}/${release}/${asset}`;
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  const actual = createHash("sha256").update(bytes).digest("hex");
  if (actual !== sha256) {
    const pinned = sha256 === "" ? "no SHA-256" : `the SHA-256 ${sha256}`;
    throw new Error(
      `tools/vmm_releases.json has ${pinned} of ${release}, and ${url} has ${actual}; ` +
        "enter that value after you have compared it with the release page",
    );
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes, { mode: 0o755 });
}

/**
 * Returns the file of a release.
 *
 * @throws {Error} if `tools/vmm_releases.json` does not name the release.
 */
export function pinnedFile(release: string): PinnedFile {
  const { asset, sha256 } = pinned;
  const known: Readonly<Record<string, string>> = sha256;
  if (Object.hasOwn(known, release)) {
    return { release, asset, sha256: known[release]! };
  }
  throw new Error(
    `tools/vmm_releases.json has no release "${release}", but ` +
      Object.keys(known).join(", "),
  );
}

if (import.meta.main) {
  const [release, path] = process.argv.slice(2);
  if (release === undefined || path === undefined) {
    console.error("usage: download_vmm.ts RELEASE PATH");
    process.exit(2);
  }
  // A task runs in the project, wherever it was called from.
  const file = pinnedFile(release);
  await download(file, resolve(process.env["INIT_CWD"] ?? "", path));
}
