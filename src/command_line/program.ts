/** A build of cloud-hypervisor, as far as its command line depends on it. */
export interface Program {
  /** True if the build has the flags of a release, such as `v54.0`. */
  readonly knowsSince: (since: string) => boolean;
  /** True if the build has a cargo feature, such as `guest_debug`. */
  readonly hasFeature: (feature: string) => boolean;
  /** True if the build has an option of a flag, such as `nested` of `--cpus`. */
  readonly hasOption: (flag: string, option: string) => boolean;
}

/** The newest release, with every feature. */
export const anyProgram: Program = {
  knowsSince: () => true,
  hasFeature: () => true,
  hasOption: () => true,
};
