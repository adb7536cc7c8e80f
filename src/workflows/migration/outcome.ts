/**
 * The signs by which the outcome of a migration is known. They differ between
 * releases, and only this file knows how:
 *
 * - From v53.0 on, `vm.send-migration` answers at once, and events report the
 *   outcome. The destination reports that it listens.
 * - v52.0 has the same events, but not the one about listening, and the call
 *   answers when all is over.
 * - Up to v51.1 the answer of the call is the only sign.
 */
import type { Client } from "../../client/create_client.ts";
import { type ApiError, InvalidRequestError } from "../../errors/errors.ts";
import type { VmmEvent } from "../../events/mod.ts";
import type { VmInfo } from "../../generated/types.gen.ts";

/**
 * The outcome of sending a VM: `moved` when the destination has the VM,
 * `stayed` when the source has it, `gone` when the source's VMM has ended
 * without a sign of the outcome.
 */
export type SendOutcome = "moved" | "stayed" | "gone";

/** The behaviour of a VMM in a migration. */
export interface MigrationFacts {
  /** `vm.send-migration` answers when all is over, not at once. */
  readonly answersAtEnd: boolean;
  /** The destination reports `migration-receive-ready`. */
  readonly reportsReady: boolean;
  /** The status of `vm.receive-migration` says whether the VM has arrived. */
  readonly confirmsArrival: boolean;
  /** The first number of the VMM's version. */
  readonly major: number;
}

/**
 * Asks a VMM for its version.
 *
 * @throws {InvalidRequestError} `tls_dir` when the VMM would ignore the field,
 * and send or receive the VM without encryption.
 */
export async function factsOf(
  { vmm, socketPath }: Client,
  { tls_dir }: { readonly tls_dir?: string | null },
  signal: AbortSignal,
): Promise<MigrationFacts> {
  const { version } = await vmm.ping({ signal });
  const major = Number.parseInt(version);
  const isOld = major < 53;
  if (isOld && tls_dir != null) {
    throw new InvalidRequestError(
      "invalid_request",
      "tls_dir",
      `version ${version} would ignore it, and migrate without encryption; v53.0 is the first release with TLS`,
      { socketPath },
    );
  }
  return {
    answersAtEnd: isOld,
    reportsReady: !isOld,
    confirmsArrival: !isOld,
    major,
  };
}

/**
 * Refuses a VM that the source cannot send: up to v51.1 a paused VM would be
 * resumed, and stay.
 *
 * @throws {InvalidRequestError} `source`
 */
export function assertSendable(
  { major }: MigrationFacts,
  { state }: VmInfo,
  { socketPath }: Client,
): void {
  if (major >= SHARED_LAYOUT || state !== "Paused") return;
  throw new InvalidRequestError(
    "invalid_request",
    "source",
    `the VM at "${socketPath}" is paused, and version ${major} would resume it instead of sending it; resume it before, or use v52.0`,
    { socketPath },
  );
}

/**
 * Refuses a destination that cannot build the source's VM: v52.0 changed the
 * addresses of devices, and older releases do not find room for them.
 *
 * @throws {InvalidRequestError} `destination`
 */
export function assertTakes(
  destination: MigrationFacts,
  source: MigrationFacts,
  { socketPath }: Client,
): void {
  const isTaken = destination.major >= SHARED_LAYOUT ||
    source.major < SHARED_LAYOUT;
  if (isTaken) return;
  throw new InvalidRequestError(
    "invalid_request",
    "destination",
    `the VMM at "${socketPath}" has version ${destination.major}, which cannot take a VM of version ${source.major}; v52.0 is the first that can`,
    { socketPath },
  );
}

/** The first release that sends paused VMs, and has today's device addresses. */
const SHARED_LAYOUT = 52;

/** The outcome that an event of the source reports. */
export function outcomeOf(
  { source, event }: VmmEvent,
): "moved" | "stayed" | undefined {
  if (source !== "vm") return undefined;
  if (event === "migration-finished") return "moved";
  return event === "migration-failed" ? "stayed" : undefined;
}

/**
 * Notes whether a source that reports nothing about a migration ended right
 * after it had saved the VM, as after a migration.
 */
export class EndingTrace {
  #isSaved = false;
  #isReported = false;

  add({ source, event }: VmmEvent): void {
    if (source !== "vm") return;
    if (event === "snapshotted") this.#isSaved = true;
    if (event === "resuming") this.#isSaved = false;
    if (event === "migration-started") this.#isReported = true;
  }

  /** Read this after the VMM has ended. */
  get looksMoved(): boolean {
    return this.#isSaved && !this.#isReported;
  }
}

/**
 * Tells whether a call that answers at the end was refused before the VMM sent
 * anything. All other refusals mean that the VM stayed.
 */
export function isRefusal(error: ApiError): boolean {
  return REFUSALS.has(error.code);
}

const REFUSALS: ReadonlySet<string> = new Set([
  "busy",
  "invalid_config",
  "invalid_json",
  "migrating",
  "not_created",
  "not_running",
  "overloaded",
  "too_large",
  "unsupported",
  "vmm_gone",
  "wrong_state",
]);
