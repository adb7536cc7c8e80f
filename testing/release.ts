/** The releases that the fake VMM can be, and every difference between them. */

/** The name of a release, newest first. */
export type ReleaseName = "v54.0-dev" | "v53.0";

/** The reason of a refusal, as far as the status depends on it. */
export type Kind =
  | "missing" // no VM, or no configuration
  | "unknown" // no such device
  | "invalid" // the configuration breaks a rule
  | "conflict" // an id or a path is taken
  | "busy" // a vCPU is still being removed
  | "failed"; // everything else

/** The behaviour of one release. */
export interface Release {
  readonly name: ReleaseName;
  /** The version fields of `vmm.ping`. */
  readonly version: string;
  readonly buildVersion: string;
  readonly methods: readonly string[];
  /** Largest request body in bytes. */
  readonly maxBody: number;
  readonly statuses: Readonly<Record<Kind, number>>;
  /** The end of the message about an id that begins with two underscores. */
  readonly invalidId: string;
  /** The PCI segments whose device 0 is reserved. */
  readonly reservedDeviceOn: "first" | "every";
  /** When a net device without a MAC address gets one. */
  readonly macAt: "parse" | "boot";
  /** True if the second removal of a device that the guest holds fails. */
  readonly removesOnce: boolean;
  /** Bytes that an image needs for its type to be detected. */
  readonly smallestImage: number;
  /** The form of the message about invalid parameters of a receiver. */
  readonly receiverWords: "chained" | "flat";
  /** True if a device that booted behind the virtual IOMMU can be removed. */
  readonly removesBehindIommu: boolean;
  /** True if the errors of options begin in lower case: "unknown option". */
  readonly lowerCaseWords: boolean;
  /** True if descriptors of flat VMDK images are detected. */
  readonly flatVmdk: boolean;
  /** True if `vm.info` has the MAC address of each tap. */
  readonly reportsHostMac: boolean;
  /** The reaction to a memory that is too small for the ACPI tables. */
  readonly acpiTables: "refused" | "panic";
  /** The message about a vhost-user back end that does not listen. */
  readonly vhostUserTimeout: "named" | "cause";
}

/** The build features of the fake, in every release. */
export const features: readonly string[] = ["guest_debug", "io_uring", "kvm"];

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
  },
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
