/** The figures of a run of the benchmark. */
import type { Figure } from "./compare.ts";
import type { Memory } from "./memory.ts";
import type { Load } from "./poll.ts";
import type { Loss } from "./rivals.ts";
import type { Runtime } from "./runtimes.ts";

/** The figures of one runtime. */
export interface Results {
  readonly runtime: Runtime;
  readonly calls: readonly Figure[];
  readonly losses: readonly Loss[];
  readonly starts: readonly Figure[];
  readonly inner: readonly Figure[];
  readonly memory: readonly Memory[];
  readonly loads: readonly Load[];
  /** The calls again, against a real VMM. */
  readonly real?: readonly Figure[];
  readonly realLosses?: readonly Loss[];
}
