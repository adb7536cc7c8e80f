/** `vm.restore`, with the configuration in the snapshot if it is known. */
import type { RestoreConfig } from "../../generated/types.gen.ts";
import type { Config } from "../config.ts";
import { type Violation, violation } from "./rule.ts";

/**
 * The rules that a request breaks.
 *
 * @param config The configuration in the snapshot.
 */
export function* restoreViolations(
  body: RestoreConfig,
  config?: Config,
): Generator<Violation> {
  const { memory_restore_mode, prefault } = body;
  if (memory_restore_mode === "OnDemand" && prefault === true) {
    const message = "'prefault' cannot be combined with " +
      "'memory_restore_mode=ondemand'";
    yield violation("prefault", message);
  }
  const counts = new Map<string, number>();
  for (const [index, { id, num_fds }] of (body.net_fds ?? []).entries()) {
    if (counts.has(id)) {
      const message = `Identifier ${id} is not unique`;
      yield violation(`net_fds[${index}].id`, message, { kind: "conflict" });
    }
    counts.set(id, Number(num_fds ?? 0));
  }
  if (config !== undefined) yield* netFdViolations(counts, config);
  const ids = (body.zone_updates ?? []).map(({ id }) => id);
  if (new Set(ids).size < ids.length) {
    const message = "Multiple updates for the same zone defined";
    yield violation("zone_updates", message);
  }
  if (ids.includes("")) {
    const message = "At least one memory zone update with an empty ID was " +
      "defined";
    yield violation("zone_updates", message);
  }
  for (const { id, fd } of config?.devices ?? []) {
    if (fd === undefined) continue;
    const message = `VFIO device '${id ?? ""}' was FD backed and needs a new ` +
      "fd in 'vfio_fds'";
    yield violation("vfio_fds", message);
  }
}

function* netFdViolations(
  counts: ReadonlyMap<string, number>,
  config: Config,
): Generator<Violation> {
  for (const { id, fds } of config.net ?? []) {
    if (fds === undefined) continue;
    const count = counts.get(id!);
    if (count === undefined) {
      const message = `Net id ${id} is associated with FDs and is required`;
      yield violation("net_fds", message);
    } else if (count !== fds.length) {
      const message = `Number of Net FDs passed for '${id}' during Restore: ` +
        `${count}. Expected: ${fds.length}`;
      yield violation("net_fds", message);
    }
  }
}
