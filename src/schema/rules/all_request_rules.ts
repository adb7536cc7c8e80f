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
import { bootViolations } from "./all_boot_rules.ts";
import { descriptorViolations, missingDescriptors } from "./descriptors.ts";
import { disk } from "./disks.ts";
import { addresses, urlViolations } from "./formats.ts";
import { addViolations, type DeviceKey, removeViolations } from "./hotplug.ts";
import {
  postcopyViolations,
  receiverViolations,
  senderViolations,
  zoneUpdateViolations,
} from "./migration.ts";
import { net } from "./net.ts";
import { pathProblems } from "./paths.ts";
import { anyDevice } from "./pci.ts";
import {
  resizeDiskViolations,
  resizeViolations,
  resizeZoneViolations,
} from "./resize.ts";
import { restoreViolations } from "./restore.ts";
import { type Rule, type Violation, violation } from "./rule.ts";
import { vfio } from "./vfio.ts";
import { fs, genericVhostUser, userDevice } from "./vhost_user.ts";
import { cid } from "./vsock.ts";

/** A body that matches its schema. */
export interface CheckedRequest {
  /** The body without defaults. */
  readonly given: unknown;
  /** The body with its defaults, and without descriptors. */
  readonly body: unknown;
  /** The configuration of the VM that gets the request, if it is known. */
  readonly vm: Config | undefined;
}

/** The rules that a request breaks. */
export function* requestViolations(
  name: RequestName,
  { given, body, vm }: CheckedRequest,
): Generator<Violation> {
  for (const { field, reason } of findFatalFields(name, body)) {
    yield violation(field, reason, { kind: "fatal" });
  }
  yield* descriptorViolations(given);
  yield* RULES[name]?.(body as never, vm) ?? [];
}

type RequestRules = (
  body: never,
  vm: Config | undefined,
) => Iterable<Violation>;

const RULES: { readonly [name in RequestName]?: RequestRules } = {
  "vm.create": bootViolations,
  "vm.coredump": coredumping,
  "vm.restore": restoring,
  "vm.snapshot": snapshotting,
  "vm.receive-migration": receiving,
  "vm.send-migration": sending,
  "vm.resize": resizeViolations,
  "vm.resize-disk": resizeDiskViolations,
  "vm.resize-zone": resizeZoneViolations,
  "vm.remove-device": removeViolations,
  "vm.add-device": adding("devices", vfio),
  "vm.add-disk": adding("disks", disk),
  "vm.add-fs": adding("fs", fs),
  "vm.add-generic-vhost-user": adding("generic_vhost_user", genericVhostUser),
  "vm.add-net": adding("net", [...addresses, ...net]),
  "vm.add-pmem": adding("pmem", anyDevice),
  "vm.add-user-device": adding("user_devices", userDevice),
  "vm.add-vdpa": adding("vdpa", anyDevice),
  "vm.add-vsock": adding("vsock", [...cid, ...anyDevice]),
};

function adding<Item extends Device>(
  key: DeviceKey,
  rules: readonly Rule<Item>[],
): (item: Item, vm: Config | undefined) => Iterable<Violation> {
  return (item, vm) => addViolations(key, item, rules, vm);
}

function coredumping(
  { destination_url: url }: VmCoredumpData,
): Iterable<Violation> {
  return urlViolations("destination_url", url);
}

function snapshotting(
  { destination_url: url }: VmSnapshotConfig,
): Iterable<Violation> {
  return urlViolations("destination_url", url);
}

function* restoring(body: RestoreConfig): Generator<Violation> {
  yield* urlViolations("source_url", body.source_url);
  yield* missingDescriptors(body);
  yield* restoreViolations(body);
}

function* receiving(body: ReceiveMigrationData): Generator<Violation> {
  yield* missingDescriptors(body);
  yield* receiverViolations(body);
  yield* socketUrlViolations("receiver_url", body.receiver_url);
  yield* zoneUpdateViolations(body);
}

function* sending(body: SendMigrationData): Generator<Violation> {
  yield* senderViolations(body);
  yield* socketUrlViolations("destination_url", body.destination_url);
  yield* postcopyViolations(body);
}

function* socketUrlViolations(
  field: string,
  url: string,
): Generator<Violation> {
  const path = /^unix:([^]+)$/.exec(url)?.[1];
  if (path !== undefined) yield* pathProblems(field, path, "connect");
}
