/** The rules of each request, as far as they can be told without a host. */
import { findFatalFields } from "../../requests/fatal_requests.ts";
import type { RequestName } from "../../generated/requests.gen.ts";
import type {
  RestoreConfig,
  VmCoredumpData,
  VmSnapshotConfig,
} from "../../generated/types.gen.ts";
import type { Config, Device } from "../config.ts";
import { RuleContext, type RuleRelease } from "./context.ts";
import { configViolations } from "./config.ts";
import { cid, vfio } from "./devices.ts";
import { disk } from "./disks.ts";
import { addresses, urlViolations } from "./formats.ts";
import { Ids } from "./ids.ts";
import { memoryViolations } from "./memory.ts";
import { receiverViolations, senderViolations } from "./migration.ts";
import { net } from "./net.ts";
import { unbuildableNodes } from "./numa.ts";
import { anyDevice } from "./pci.ts";
import { restoreViolations } from "./restore.ts";
import { type Rule, type Violation, violation, violationsOf } from "./rule.ts";
import { fs, genericVhostUser, userDevice } from "./vhost.ts";

/** As in the newest release, whose rules are the ones to live with. */
const FACTS: RuleRelease = {
  badIdentifier: "is not valid",
  reservedDeviceOn: "first",
  zoneHugepageRules: true,
};

/** The rules that a body breaks; `panic` where it would stop the VMM. */
export function* requestViolations(
  name: RequestName,
  body: unknown,
): Generator<Violation> {
  for (const { field, reason } of findFatalFields(name, body)) {
    yield violation(field, reason, "panic");
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
  "vm.receive-migration": (body) =>
    receiverViolations(body, "chained", () => undefined),
  "vm.send-migration": (body) => senderViolations(body, () => undefined),
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

function* wholeConfigViolations(config: Config): Generator<Violation> {
  const around = new RuleContext(config, FACTS, () => true);
  for (const [index, item] of (config.net ?? []).entries()) {
    yield* violationsOf(item, addresses, `net[${index}]`, around);
  }
  yield* memoryViolations(config.memory);
  yield* configViolations(config, around);
  yield* unbuildableNodes(config);
}

/** A device that is added: what its VM is like is not known here. */
function device<Item extends Device>(
  rules: readonly Rule<Item>[],
): (item: Item) => Iterable<Violation> {
  const around = new RuleContext(undefined, FACTS, () => true);
  return function* (item) {
    yield* violationsOf(item, rules, "", around);
    yield* new Ids(around).take(item.id, "");
  };
}
