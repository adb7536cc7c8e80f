/** How the stand-in program is run. */
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { FakeVmmOptions } from "./options.ts";

/** What the stand-in program is to be like. */
export type FakeProgramOptions = Pick<
  FakeVmmOptions,
  "release" | "files" | "guest"
>;

/** What `spawnVmm` takes to start the stand-in program. */
export interface FakeProgram {
  /** As of {@linkcode fakeCommand}. */
  readonly command: readonly string[];
  /** The options, as the program reads them. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * What `spawnVmm` takes to start the fake in the binary's place.
 *
 * @throws {Error} as {@linkcode fakeCommand}.
 *
 * @example
 * ```ts
 * import { spawnVmm } from "@chv/cloud-hypervisor/process";
 * import { fakeProgram } from "@chv/cloud-hypervisor/testing";
 *
 * const guest = { powersOffAfterMs: 10 };
 * const vmm = await spawnVmm({
 *   ...fakeProgram({ files: "any", guest }),
 *   config: { payload: { kernel: "/boot/vmlinux" } },
 * });
 * const { step } = await vmm.stop();
 * console.log(step); // power-button
 * ```
 */
export function fakeProgram(
  { release, files, guest }: FakeProgramOptions = {},
): FakeProgram {
  return {
    command: fakeCommand(),
    env: {
      ...release && { FAKE_VMM_RELEASE: release },
      ...files && { FAKE_VMM_FILES: files },
      ...guest && { FAKE_VMM_GUEST: JSON.stringify(guest) },
    },
  };
}

/**
 * The argument list that runs the stand-in program with the current runtime:
 * its flags are to follow.
 *
 * @throws {Error} in a script that was compiled to one file, which has no
 * program beside it.
 */
export function fakeCommand(): string[] {
  // Installed from npm, the files are JavaScript.
  const extension = import.meta.url.endsWith(".js") ? "js" : "ts";
  const url = new URL(`./cloud-hypervisor.${extension}`, import.meta.url);
  const program = url.protocol === "file:" ? fileURLToPath(url) : url.href;
  if (url.protocol === "file:" && !existsSync(program)) {
    throw new Error(
      `the fake's program is not at ${program}: a compiled script cannot ` +
        "start it, so give it a VMM, as by CLOUD_HYPERVISOR",
    );
  }
  const runtime = process.execPath;
  if (process.versions["deno"] !== undefined) {
    return [runtime, "run", "--quiet", "--allow-all", program];
  }
  return [runtime, program];
}
