/** The stages of a migration. */

/**
 * - `preparing`: the destination does not listen yet, and nothing is sent.
 * - `sending`: the destination listens, and the VM runs at the source.
 * - `switching`: the VM is paused to change sides. Either side can have it.
 * - `arrived`: the destination has the VM. The source must not resume it.
 * - `failed`: the destination does not get the VM.
 */
export type MigrationPhase =
  | "preparing"
  | "sending"
  | "switching"
  | "arrived"
  | "failed";

/** A report of {@linkcode MigrateVmOptions.onProgress}. */
export type MigrationProgress =
  | {
    /** The source has begun to send the VM. */
    readonly stage: "started";
  }
  | {
    /** The source has sent the memory once more. */
    readonly stage: "iteration";
    /** The number of this pass over the memory, from 0. */
    readonly iteration: number;
  }
  | {
    /** The VM is paused to change sides. */
    readonly stage: "switching";
  }
  | {
    /** The VM is at the destination. */
    readonly stage: "finished";
  }
  | {
    /** The VM stays at the source. */
    readonly stage: "failed";
  };
