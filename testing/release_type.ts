/** In what the releases of the VMM differ, as far as the fake shows it. */
import type { OperationName } from "../src/generated/api.gen.ts";

/** The name of a release, newest first. */
export type ReleaseName =
  | "v54.0-dev"
  | "v53.0"
  | "v52.0"
  | "v51.1"
  | "v50.2"
  | "v48.0";

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
  /** The build features of the recorded VMMs, which `vmm.ping` returns. */
  readonly features: readonly string[];
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
  /**
   * The form of the message about invalid parameters of a receiver. `late`:
   * only the URL is read, when the VMM begins to listen.
   */
  readonly receiverWords: "chained" | "flat" | "late";
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
  /** The second messages of refusals that differ from those of the spec. */
  readonly messages: { readonly [name in OperationName]?: string };
  /** Events that the release does not emit. */
  readonly silent: readonly string[];
  /** When `vm.send-migration` answers. At the end, its status is the outcome. */
  readonly sends: "at once" | "at the end";
  /** The form of the message about invalid parameters of a sender. */
  readonly senderWords: "full" | "short" | "url";
  /** True if a paused VM can be sent; otherwise it is resumed instead. */
  readonly sendsPaused: boolean;
  /** True if `vm.boot` works on a VM that is half-built or paused. */
  readonly bootsAgain: boolean;
  /** True if the message about an unknown device has its id. */
  readonly namesDevice: boolean;
  /** True if the message about a file of a snapshot has the file's name. */
  readonly namesSnapshotFile: boolean;
  /** True if the fields that devices share are a struct of their own. */
  readonly flattens: boolean;
  /** True if the message about an image that does not open has its path. */
  readonly namesImage: boolean;
  /** The values that `vm.info` writes though nobody has set them. */
  readonly writes: readonly ("null" | "false")[];
  /** True if disks that are added have their registers below 4 GiB, too. */
  readonly hotplugsLow: boolean;
  /** The first word of the message about a balloon that is too large. */
  readonly balloonWord: string;
  /** True if the serial socket keeps output until its first reader comes. */
  readonly keepsOutput: boolean;
  /** True if the socket file stays when a thread of the VMM panics. */
  readonly leavesSocket: boolean;
}
