/** The rules of each request that need no host. */
import { findFatalFields } from "../../requests/fatal_requests.ts";
import type { RequestName } from "../../generated/requests.gen.ts";
import type {
  ReceiveMigrationData,
  RestoreConfig,
  SendMigrationData,
  VmCoredumpData,
  VmSnapshotConfig,
} from "../../generated/types.gen.ts";
import type { Config, Device } from "../config.ts";
import { configViolations } from "./config.ts";
import { RuleContext } from "./context.ts";
import { disk } from "./disks.ts";
import { addresses, urlViolations } from "./formats.ts";
import { Ids } from "./ids.ts";
import { memoryViolations } from "./memory.ts";
import {
  postcopyViolations,
  receiverViolations,
  senderViolations,
  zoneUpdateViolations,
} from "./migration.ts";
import { net } from "./net.ts";
import { unbuildableNodes } from "./numa.ts";
import { anyDevice } from "./pci.ts";
import { restoreViolations } from "./restore.ts";
import { type Rule, type Violation, violation, violationsOf } from "./rule.ts";
import { vfio } from "./vfio.ts";
import { fs, genericVhostUser, userDevice } from "./vhost_user.ts";
import { cid } from "./vsock.ts";

/** The rules that a body breaks. The body must have its defaults. */
export function* requestViolations(
  name: RequestName,
  body: unknown,
): Generator<Violation> {
  for (const { field, reason } of findFatalFields(name, body)) {
    yield violation(field, reason, { kind: "fatal" });
  }
  yield* RULES[name]?.(body as never) ?? [];
}

const RULES: {
  readonly [name in RequestName]?: (body: never) => Iterable<Violation>;
} = {
  "vm.create": wholeConfigViolations,
  "vm.coredump": destination,
  "vm.restore": restoringViolations,
  "vm.snapshot": destination,
  "vm.receive-migration": receivingViolations,
  "vm.send-migration": sendingViolations,
  "vm.add-device": device(vfio),
  "vm.add-disk": device(disk),
  "vm.add-fs": device(fs),
  "vm.add-generic-vhost-user": device(genericVhostUser),
  "vm.add-net": device([...addresses, ...net]),
  "vm.add-pmem": device(anyDevice),
  "vm.add-user-device": device(userDevice),
  "vm.add-vdpa": device(anyDevice),
  "vm.add-vsock": device([...cid, ...anyDevice]),
};

function destination(
  { destination_url: url }: VmCoredumpData | VmSnapshotConfig,
): Iterable<Violation> {
  return url === undefined ? [] : urlViolations("destination_url", url);
}

function* restoringViolations(body: RestoreConfig): Generator<Violation> {
  yield* urlViolations("source_url", body.source_url);
  yield* restoreViolations(body);
}

function* receivingViolations(
  body: ReceiveMigrationData,
): Generator<Violation> {
  yield* receiverViolations(body);
  yield* zoneUpdateViolations(body);
}

function* sendingViolations(body: SendMigrationData): Generator<Violation> {
  yield* senderViolations(body);
  yield* postcopyViolations(body);
}

function* wholeConfigViolations(config: Config): Generator<Violation> {
  const context = new RuleContext(config);
  for (const [index, item] of (config.net ?? []).entries()) {
    yield* violationsOf(item, addresses, `net[${index}]`, context);
  }
  yield* memoryViolations(config.memory);
  yield* configViolations(config);
  yield* unbuildableNodes(config);
}

/** A device that is added to an unknown VM. */
function device<Item extends Device>(
  rules: readonly Rule<Item>[],
): (item: Item) => Iterable<Violation> {
  const context = new RuleContext(undefined);
  return function* (item) {
    yield* violationsOf(item, rules, "", context);
    yield* new Ids().add(item.id, "");
  };
}
