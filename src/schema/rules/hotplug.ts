/** `vm.add-…` and `vm.remove-device`. */
import type { VmRemoveDevice } from "../../generated/types.gen.ts";
import type { Config, Device } from "../config.ts";
import { bootViolations, deviceViolations } from "./all_boot_rules.ts";
import { RuleContext } from "./context.ts";
import { DEVICE_LISTS, Ids } from "./ids.ts";
import { unknownId } from "./resize.ts";
import { type Rule, type Violation, violation, violationsOf } from "./rule.ts";

/** The keys of devices that can be added. */
export type DeviceKey =
  | "devices"
  | "disks"
  | "fs"
  | "generic_vhost_user"
  | "net"
  | "pmem"
  | "user_devices"
  | "vdpa"
  | "vsock";

/** The rules that an added device breaks. */
export function* addViolations<Item extends Device>(
  key: DeviceKey,
  item: Item,
  rules: readonly Rule<Item>[],
  vm: Config | undefined,
): Generator<Violation> {
  const single = key === "vsock";
  const index = vm === undefined || single ? 0 : vm[key]?.length ?? 0;
  const path = single ? key : `${key}[${index}]`;
  if (vm === undefined) {
    yield* violationsOf(item, rules, "", new RuleContext(undefined));
    yield* new Ids().add(item.id, "");
    const alone = { [key]: single ? item : [item] } as Partial<Config>;
    yield* within(path, deviceViolations(alone));
    return;
  }
  if (single && vm.vsock !== undefined) {
    yield violation("", "Too many virtio-vsock devices");
    return;
  }
  const context = new RuleContext(vm);
  if (item.iommu && !context.isIommuSegment(item.pci_segment ?? 0)) {
    const message = "Cannot hotplug device behind vIOMMU";
    const advice = 'use a segment of "platform.iommu_segments"';
    yield violation("iommu", message, { advice });
  }
  const added = single ? item : [...vm[key] ?? [], item];
  yield* within(path, bootViolations({ ...vm, [key]: added } as Config));
}

/** The violations below a path, with the path as their root. */
function* within(
  path: string,
  violations: Iterable<Violation>,
): Generator<Violation> {
  const list = path.replace(/\[\d+\]$/, "");
  for (const broken of violations) {
    if (broken.path === list) yield { ...broken, path: "" };
    if (!broken.path.startsWith(`${path}.`) && broken.path !== path) continue;
    yield { ...broken, path: broken.path.slice(path.length + 1) };
  }
}

/** The name of a device's node on the bus begins so; it can be removed, too. */
const NODE = "_virtio-pci-";

export function* removeViolations(
  { id }: VmRemoveDevice,
  vm: Config | undefined,
): Generator<Violation> {
  if (vm === undefined) return;
  const devices: readonly { id?: string }[] = DEVICE_LISTS
    .flatMap((key): readonly { id?: string }[] => vm[key] ?? [])
    .concat(vm.vsock ?? []);
  const ids = devices.map(({ id }) => id);
  yield* unknownId(id.startsWith(NODE) ? id.slice(NODE.length) : id, ids);
}
