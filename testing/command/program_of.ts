/** The program of a release, as far as its command line depends on it. */
import type { Program } from "../../src/command_line/program.ts";
import { wireKeywords } from "../../src/generated/wire_keywords.gen.ts";
import { hasSince } from "../../src/generated_support/release.ts";
import type { Release } from "../release_type.ts";

/** The flags, options and features that a release has. */
export function programOf({ name, features }: Release): Program {
  const knowsSince = (since: string): boolean => hasSince(name, since);
  return {
    knowsSince,
    hasFeature: (feature) => features.includes(feature),
    hasOption: (flag, option) => {
      const members = wireKeywords[SCHEMAS[flag] ?? ""]?.properties;
      const since = OPTIONS[`${flag} ${option}`] ??
        members?.[option]?.["x-since"];
      return since === undefined || knowsSince(since);
    },
  };
}

/** The first release with an option that is newer than its member. */
const OPTIONS: { readonly [option: string]: string } = {
  "--generic-vhost-user device_type": "v53.0",
};

/** The schemas whose members are the options of a flag. */
const SCHEMAS: { readonly [flag: string]: string } = {
  "--balloon": "BalloonConfig",
  "--console": "ConsoleConfig",
  "--cpus": "CpusConfig",
  "--device": "DeviceConfig",
  "--disk": "DiskConfig",
  "--fs": "FsConfig",
  "--generic-vhost-user": "GenericVhostUserConfig",
  "--ivshmem": "IvshmemConfig",
  "--memory": "MemoryConfig",
  "--memory-zone": "MemoryZoneConfig",
  "--net": "NetConfig",
  "--numa": "NumaConfig",
  "--platform": "PlatformConfig",
  "--pmem": "PmemConfig",
  "--restore": "RestoreConfig",
  "--rng": "RngConfig",
  "--serial": "SerialConfig",
  "--user-device": "UserDeviceConfig",
  "--vdpa": "VdpaConfig",
  "--vsock": "VsockConfig",
};
