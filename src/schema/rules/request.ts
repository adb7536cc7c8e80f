/** The rules of each request, as far as they can be told without a host. */
import { fatals } from "../../fatal.ts";
import type { RequestName } from "../../generated/requests.gen.ts";
import type {
  RestoreConfig,
  VmCoredumpData,
  VmSnapshotConfig,
} from "../../generated/types.gen.ts";
import type { Config, Device } from "../config.ts";
import { Around, type Facts } from "./around.ts";
import { brokenRules } from "./check.ts";
import { cid, vfio } from "./devices.ts";
import { disk } from "./disks.ts";
import { addresses, brokenByUrl } from "./forms.ts";
import { Ids } from "./ids.ts";
import { brokenByMemory } from "./memory.ts";
import { brokenByReceiver, brokenBySender } from "./migration.ts";
import { net } from "./net.ts";
import { unbuildableNodes } from "./numa.ts";
import { anyDevice } from "./pci.ts";
import { brokenByRestore } from "./restore.ts";
import { type Broken, brokenBy, type Rule, rule } from "./rule.ts";
import { fs, genericVhostUser, userDevice } from "./vhost.ts";

/** As in the newest release, whose rules are the ones to live with. */
const FACTS: Facts = {
  badIdentifier: "is not valid",
  reservedDeviceOn: "first",
  zoneHugepageRules: true,
};

/** The rules that a body breaks; `panic` where it would stop the VMM. */
export function* brokenByRequest(
  name: RequestName,
  body: unknown,
): Generator<Broken> {
  for (const { field, reason } of fatals(name, body)) {
    yield rule(field, reason, "panic");
  }
  yield* RULES[name]?.(body as never) ?? [];
}

const RULES: {
  readonly [name in RequestName]?: (body: never) => Iterable<Broken>;
} = {
  "vm.create": brokenByConfig,
  "vm.coredump": destination,
  "vm.restore": brokenByRestoring,
  "vm.snapshot": destination,
  "vm.receive-migration": (body) =>
    brokenByReceiver(body, "chained", () => undefined),
  "vm.send-migration": (body) => brokenBySender(body, () => undefined),
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
): Iterable<Broken> {
  return url === undefined ? [] : brokenByUrl("destination_url", url);
}

function* brokenByRestoring(body: RestoreConfig): Generator<Broken> {
  yield* brokenByUrl("source_url", body.source_url);
  yield* brokenByRestore(body);
}

function* brokenByConfig(config: Config): Generator<Broken> {
  const around = new Around(config, FACTS, () => true);
  for (const [index, item] of (config.net ?? []).entries()) {
    yield* brokenBy(item, addresses, `net[${index}]`, around);
  }
  yield* brokenByMemory(config.memory);
  yield* brokenRules(config, around);
  yield* unbuildableNodes(config);
}

/** A device that is added: what its VM is like is not known here. */
function device<Item extends Device>(
  rules: readonly Rule<Item>[],
): (item: Item) => Iterable<Broken> {
  const around = new Around(undefined, FACTS, () => true);
  return function* (item) {
    yield* brokenBy(item, rules, "", around);
    yield* new Ids(around).take(item.id, "");
  };
}
