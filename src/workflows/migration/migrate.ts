/** Moves a VM to another VMM. */
import type { Client } from "../../client/create_client.ts";
import { InvalidRequestError } from "../../errors/errors.ts";
import type { VmConfig, VmInfo } from "../../generated/types.gen.ts";
import { noEventMonitor } from "../../vmm/event_pattern.ts";
import { type Vmm, vmmOf } from "../../vmm/vmm.ts";
import { infoOf } from "../../vmm/vm_info.ts";
import { AbortScope } from "../../wait/abort_scope.ts";
import { Migration } from "./migration.ts";
import type { MigrateVmOptions } from "./options.ts";
import { MigrationUrls } from "./urls.ts";

/**
 * Moves a VM to a VMM without a VM. Resolves to the info of the VM at the
 * destination, once the VM runs there (or is paused, if it was paused before)
 * and the source's process has ended (unless `preserve_source` is set).
 *
 * The source needs an event monitor: `vm.send-migration` answers before the VMM
 * sends anything, so its status does not say whether the migration succeeded.
 * Over TCP the destination needs an event monitor, too.
 *
 * After a restore with `memory_restore_mode: "OnDemand"` the source sends the
 * VM as soon as the VMM has filled its memory.
 *
 * When the migration fails or is aborted, the VM goes on at the source, and the
 * destination is freed: it stops listening, a VM that it kept is deleted, and a
 * process that the script started is ended. After the VM was paused for the
 * final switch, an abort first waits for the outcome. A VM that already runs at
 * the destination is never ended. If another program started the destination,
 * the library cannot stop it while it receives the VM, so the VM may still
 * arrive there.
 *
 * @throws {InvalidRequestError} `source`, `destination` or `url`, before
 * anything is sent; `fatal_request` when the VM has shared memory.
 * @throws {MigrationError} with the state of each side; its `cause` is the
 * reason, or the reason of the signal.
 */
export async function migrateVm(
  source: Client | Vmm,
  destination: Client | Vmm,
  options: MigrateVmOptions = {},
): Promise<VmInfo> {
  const from = vmmOf(source);
  const to = vmmOf(destination);
  const { socketPath } = from.client;
  const urls = new MigrationUrls(options.url, options.receiverUrl);
  try {
    const scope = new AbortScope(options);
    try {
      const { signal } = scope;
      const { state, config } = await from.client.vm.info({ signal });
      if (!options.allowFatal) assertPrivateMemory(config, socketPath);
      await assertMigratable(from, to, urls.receiver, signal);
      return await new Migration(from, to, state, options, urls).run(scope);
    } finally {
      scope.close();
    }
  } finally {
    urls.remove();
  }
}

/** A migration of shared memory needs a system call that the filter lacks. */
function assertPrivateMemory(
  { memory }: VmConfig,
  socketPath: string,
): void {
  const { zones = [] } = memory ?? {};
  const field = memory?.shared
    ? "memory.shared"
    : zones.some(({ shared }) => shared)
    ? "memory.zones"
    : undefined;
  if (field === undefined) return;
  throw new InvalidRequestError(
    "fatal_request",
    field,
    "a migration of shared memory kills the source and the destination of builds whose seccomp filter lacks newfstatat; allowFatal lets it through",
    { operation: "vm.send-migration", socketPath },
  );
}

async function assertMigratable(
  source: Vmm,
  destination: Vmm,
  receiverUrl: string,
  signal: AbortSignal,
): Promise<void> {
  if (source.events === undefined) throw noEventMonitor("source");
  if (destination.events === undefined && receiverUrl.startsWith("tcp:")) {
    throw noEventMonitor("destination");
  }
  const { vm, socketPath } = destination.client;
  if (await infoOf(vm, { signal }) === undefined) return;
  throw new InvalidRequestError(
    "invalid_request",
    "destination",
    `the VMM at "${socketPath}" has a VM, which the migration would overwrite`,
  );
}
