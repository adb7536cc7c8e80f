/** The releases that the fake VMM can be, and every difference between them. */
import type { Release, ReleaseName } from "./release_type.ts";

const MIGRATION_EVENTS = [
  "migration-started",
  "migration-memory-iteration",
  "migration-finished",
  "migration-failed",
  "migration-receive-started",
  "migration-receive-finished",
  "migration-receive-failed",
];

const HEAD: Release = {
  name: "v54.0-dev",
  version: "54.0.0",
  buildVersion: "v53.0-246-gae44c2971",
  features: ["guest_debug", "io_uring", "kvm"],
  methods: ["GET", "PUT", "PATCH", "DELETE"],
  maxBody: 4 << 20,
  statuses: {
    missing: 404,
    unknown: 404,
    invalid: 400,
    conflict: 409,
    busy: 429,
    failed: 500,
  },
  invalidId: "is not valid",
  reservedDeviceOn: "first",
  macAt: "boot",
  removesOnce: false,
  smallestImage: 0,
  receiverWords: "chained",
  removesBehindIommu: false,
  lowerCaseWords: false,
  flatVmdk: true,
  reportsHostMac: false,
  acpiTables: "refused",
  vhostUserTimeout: "named",
  messages: {},
  silent: [],
  sends: "at once",
  senderWords: "full",
  sendsPaused: true,
  bootsAgain: false,
  namesDevice: true,
  namesSnapshotFile: true,
  flattens: true,
  namesImage: true,
  writes: [],
  hotplugsLow: false,
  balloonWord: "Balloon",
  keepsOutput: true,
  leavesSocket: true,
};

// Each release is the newer one with its differences.
const V53_0: Release = {
  ...HEAD,
  name: "v53.0",
  version: "53.0.0",
  buildVersion: "v53.0",
  methods: ["GET", "PUT", "PATCH"],
  maxBody: 51200,
  statuses: {
    missing: 404,
    unknown: 500,
    invalid: 500,
    conflict: 500,
    busy: 429,
    failed: 500,
  },
  invalidId: "is not invalid",
  reservedDeviceOn: "every",
  macAt: "parse",
  removesOnce: true,
  smallestImage: 512,
  receiverWords: "flat",
  removesBehindIommu: true,
  lowerCaseWords: true,
  flatVmdk: false,
  reportsHostMac: true,
  acpiTables: "panic",
  vhostUserTimeout: "cause",
};

const V52_0: Release = {
  ...V53_0,
  name: "v52.0",
  version: "52.0.0",
  buildVersion: "v52.0-dirty",
  features: ["io_uring", "kvm"],
  statuses: { ...V53_0.statuses, missing: 500 },
  removesOnce: false,
  messages: {
    "vm.send-migration": "Error starting migration sender",
    "vm.receive-migration": "Error starting migration receiver",
  },
  silent: ["migration-receive-ready"],
  sends: "at the end",
  receiverWords: "late",
  senderWords: "short",
  bootsAgain: true,
  namesDevice: false,
  namesSnapshotFile: false,
  writes: ["null"],
  keepsOutput: false,
  leavesSocket: false,
};

const V51_1: Release = {
  ...V52_0,
  name: "v51.1",
  version: "51.1.0",
  buildVersion: "v51.1-dirty",
  silent: [...V52_0.silent, ...MIGRATION_EVENTS],
  senderWords: "url",
  sendsPaused: false,
  namesImage: false,
  writes: ["null", "false"],
  leavesSocket: true,
  flattens: false,
  hotplugsLow: true,
  balloonWord: "Ballon",
};

const V50_2: Release = {
  ...V51_1,
  name: "v50.2",
  version: "50.2.0",
  buildVersion: "v50.2-dirty",
};

const V48_0: Release = {
  ...V50_2,
  name: "v48.0",
  version: "48.0.0",
  buildVersion: "v48.0-dirty",
  messages: { ...V50_2.messages, "vm.restore": "The VM could not restored" },
};

/** The releases by name. */
export const releases: Readonly<Record<ReleaseName, Release>> = {
  "v54.0-dev": HEAD,
  "v53.0": V53_0,
  "v52.0": V52_0,
  "v51.1": V51_1,
  "v50.2": V50_2,
  "v48.0": V48_0,
};

/** The names of all releases, newest first. */
export const releaseNames: readonly ReleaseName[] = Object.keys(
  releases,
) as ReleaseName[];

/** The release that the fake is by default. */
export const newestRelease: ReleaseName = releaseNames[0]!;

/**
 * Returns a release by its name. Default: the newest.
 *
 * @throws {TypeError} if no release has that name.
 */
export function releaseOf(name: ReleaseName = newestRelease): Release {
  const release = Object.hasOwn(releases, name) ? releases[name] : undefined;
  if (release !== undefined) return release;
  throw new TypeError(
    `no release is called ${JSON.stringify(name)}: there are ` +
      releaseNames.join(" and "),
  );
}
