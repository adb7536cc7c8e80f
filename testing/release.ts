/** In what the two releases differ, as data. */

/** A release that the fake can be. */
export type ReleaseName = "v54.0-dev" | "v53.0";

/** Why a request is refused, as far as the status depends on it. */
export type Kind =
  | "missing" // no VM, or no configuration
  | "unknown" // no such device
  | "invalid" // the configuration breaks a rule
  | "conflict" // an id or a path is taken
  | "busy" // a vCPU is still being removed
  | "failed"; // everything else

/** What a release does in its own way. */
export interface Release {
  readonly name: ReleaseName;
  /** The version fields of `vmm.ping`. */
  readonly version: string;
  readonly buildVersion: string;
  readonly methods: readonly string[];
  /** Bytes of a request body. */
  readonly maxBody: number;
  readonly statuses: Readonly<Record<Kind, number>>;
  /** Values of `x-since` that it knows. */
  readonly since: readonly string[];
  /** What follows the id that starts with two underscores. */
  readonly invalidId: string;
  /** The PCI segments whose device 0 is reserved. */
  readonly reservedDeviceOn: "first" | "every";
  /** When a net device without a MAC address gets one. */
  readonly macAt: "parse" | "boot";
  /** Whether removing a device again, before the guest let go, is an error. */
  readonly removesOnce: boolean;
  /** Bytes that an image must have, for its type to be told. */
  readonly smallestImage: number;
  /** Whether a bad receiver's parameters come as a chain or in one text. */
  readonly receiverWords: "chained" | "flat";
  /** Whether a device behind the virtual IOMMU of a boot may be removed. */
  readonly removesBehindIommu: boolean;
}

/** The names of the releases, the newest first. */
export const releaseNames: readonly ReleaseName[] = ["v54.0-dev", "v53.0"];

/** The release that the fake is by default. */
export const newestRelease: ReleaseName = releaseNames[0]!;

/** The releases by name. */
export const releases: Readonly<Record<ReleaseName, Release>> = {
  "v54.0-dev": {
    name: "v54.0-dev",
    version: "54.0.0",
    buildVersion: "v53.0-246-gae44c2971",
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
    since: ["v54.0"],
    invalidId: "is not valid",
    reservedDeviceOn: "first",
    macAt: "boot",
    removesOnce: false,
    smallestImage: 0,
    receiverWords: "chained",
    removesBehindIommu: false,
  },
  "v53.0": {
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
    since: [],
    invalidId: "is not invalid",
    reservedDeviceOn: "every",
    macAt: "parse",
    removesOnce: true,
    smallestImage: 512,
    receiverWords: "flat",
    removesBehindIommu: true,
  },
};
