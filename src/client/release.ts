/** The release of a VMM, and calls that it lacks or does not survive. */
import type { ErrorContext } from "../errors/base_error.ts";
import { ApiError, InvalidRequestError } from "../errors/errors.ts";
import { needsOf } from "../errors/needs.ts";
import type { OperationName } from "../generated/api.gen.ts";
import type { VmInfo, VmmPingResponse } from "../generated/types.gen.ts";
import type { Operation } from "../generated_support/operation.ts";
import {
  hasSince,
  isRelease,
  type VmmRelease,
} from "../generated_support/release.ts";

/** @throws {RangeError} if the text is no name of a release. */
export function checkRelease(release: string | undefined): void {
  if (release === undefined || isRelease(release)) return;
  throw new RangeError(
    `release is ${JSON.stringify(release)}, not a name such as "v52.0"`,
  );
}

/** The name of the release that a VMM is, or was built after. */
export function releaseOf(
  { version, build_version }: VmmPingResponse,
): VmmRelease {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  const name = `v${Number(major)}.${Number(minor)}` as const;
  // Upstream raises the version in the first commit after a tag.
  const tag = /^v\d+\.\d+(?=.*-g[0-9a-f]+)/.exec(build_version)?.[0];
  return tag === undefined || hasSince(tag, name) ? name : `${name}-dev`;
}

/** @throws {InvalidRequestError} if the release does not have the operation. */
export function assertSupported(
  { name, since }: Operation<OperationName>,
  release: VmmRelease,
  context: ErrorContext,
): void {
  if (since === undefined || hasSince(release, since)) return;
  const reason = `${needsOf(name)}, and the VMM is ${release}`;
  throw new InvalidRequestError("unsupported", name, reason, context);
}

/**
 * Refuses a call that ends the VMM of an old release in its present state.
 * Another client may still change the state before the call.
 */
export async function assertSurvives(
  name: OperationName,
  release: VmmRelease,
  info: () => Promise<VmInfo>,
  context: ErrorContext,
): Promise<void> {
  const [isFatal, reason] = FATAL_BEFORE_V53[name] ?? [];
  if (isFatal === undefined || hasSince(release, "v53.0")) return;
  if (!isFatal(await info().catch(absent))) return;
  throw new InvalidRequestError("fatal_request", name, reason!, context);
}

const FATAL_BEFORE_V53: {
  readonly [name in OperationName]?: readonly [
    isFatal: (info: VmInfo | undefined) => boolean,
    reason: string,
  ];
} = {
  "vm.send-migration": [
    (info) => info === undefined,
    "a migration without a VM ends this VMM; create and boot a VM first",
  ],
  "vm.receive-migration": [
    hasVm,
    "this VMM answers nobody until a VM arrives, which replaces its own VM; delete the VM first",
  ],
  "vm.boot": [
    (info) => info?.state === "Created" && hasVm(info),
    "a boot after a boot that failed ends this VMM; delete the VM first",
  ],
};

/** True also for what a boot that failed has left. */
function hasVm(info: VmInfo | undefined): boolean {
  return info?.device_tree !== undefined;
}

function absent(error: unknown): undefined {
  if (error instanceof ApiError && error.code === "not_created") return;
  throw error;
}
