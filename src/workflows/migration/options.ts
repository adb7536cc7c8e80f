/** Options of a migration. */
import type {
  ReceiveMigrationData,
  SendMigrationData,
} from "../../generated/types.gen.ts";
import type { WaitOptions } from "../../vmm/vmm.ts";
import type { MigrationProgress } from "./phase.ts";

/** Options of `migrateVm`. */
export interface MigrateVmOptions extends Omit<WaitOptions, "events"> {
  /**
   * The address over which the VM is sent: `unix:<path>` or
   * `tcp:<address>:<port>` with an IP address, never a host name.
   *
   * Default: a Unix socket in a private temporary directory.
   */
  readonly url?: string;
  /**
   * The address on which the destination listens, where that differs from
   * `url`: behind NAT, or where the socket is mounted elsewhere.
   */
  readonly receiverUrl?: string;
  /** More fields of the body of `vm.send-migration`. */
  readonly send?: Omit<SendMigrationData, "destination_url">;
  /** More fields of the body of `vm.receive-migration`. */
  readonly receive?: Omit<ReceiveMigrationData, "receiver_url">;
  /**
   * Sends a VM with shared memory, instead of refusing it as `fatal_request`:
   * the default system call filter of some builds kills both VMMs then.
   *
   * Default: `false`.
   */
  readonly allowFatal?: boolean;
  /**
   * Called at each stage, from the source's events. The VMM reports neither
   * bytes nor percents.
   */
  readonly onProgress?: (progress: MigrationProgress) => void;
}
