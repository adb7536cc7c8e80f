/**
 * Typed, unofficial client for the cloud-hypervisor REST API over its Unix
 * socket, for Deno, Bun and Node. 64-bit integers are exact, errors carry a
 * stable `code`, and nothing is ever sent twice.
 *
 * @example
 * ```ts
 * import { createClient } from "@chv/cloud-hypervisor";
 *
 * const client = createClient("/run/vm0/api.sock");
 * await client.vm.create({
 *   payload: { kernel: "/boot/vmlinux" },
 *   disks: [{ path: "/var/lib/vm0.raw", image_type: "Raw" }],
 * });
 * await client.vm.boot();
 * const { state } = await client.vm.info();
 * console.log(state);
 * ```
 *
 * @module
 */
export {
  type Client,
  createClient,
  type CreateClientOptions,
} from "./src/client/create_client.ts";
export {
  type CauseJson,
  CloudHypervisorError,
  type ErrorJson,
} from "./src/errors/base_error.ts";
export type {
  ApiErrorCode,
  ConnectionErrorCode,
  ErrorCode,
  InvalidRequestErrorCode,
  Retry,
} from "./src/errors/error_code.ts";
export { errorFrom } from "./src/errors/error_from.ts";
export {
  ApiError,
  ConnectionError,
  DeadlineError,
  InvalidRequestError,
  type VmmExit,
  VmmExitedError,
} from "./src/errors/errors.ts";
export { type UnixFetch, unixFetch } from "./src/client/unix_fetch.ts";
export type { ApiSpec } from "./src/generated_support/api_spec.ts";
export type { CallOptions } from "./src/generated_support/call_options.ts";
export type { VmmRelease } from "./src/generated_support/release.ts";
export type { UnknownEnumValue } from "./src/generated_support/unknown_enum_value.ts";
export {
  type Api,
  apiSpec,
  type OperationName,
  type VmApi,
  type VmmApi,
} from "./src/generated/api.gen.ts";
export type {
  BalloonConfig,
  BalloonConfigInfo,
  ConsoleConfig,
  ConsoleMode,
  CoreSchedulingMode,
  CpuAffinity,
  CpuFeatures,
  CpuFeaturesInfo,
  CpuProfile,
  CpusConfig,
  CpusConfigInfo,
  CpuTopology,
  DebugConsoleConfig,
  DeviceConfig,
  DeviceConfigInfo,
  DeviceCounters,
  DeviceNode,
  DiskConfig,
  DiskConfigInfo,
  ErrorChain,
  FsConfig,
  FsConfigInfo,
  FwCfgConfig,
  FwCfgConfigInfo,
  FwCfgItem,
  FwCfgItemInfo,
  FwCfgItemList,
  FwCfgItemListInfo,
  GenericVhostUserConfig,
  GenericVhostUserConfigInfo,
  HotplugMethod,
  ImageType,
  IvshmemConfig,
  LandlockConfig,
  LockGranularity,
  MemoryConfig,
  MemoryConfigInfo,
  MemoryRestoreMode,
  MemoryZoneConfig,
  MemoryZoneConfigInfo,
  MigrationMode,
  MmioAddressRange,
  MsiIrq,
  MsiIrqType,
  NetConfig,
  NetConfigInfo,
  NumaConfig,
  NumaConfigInfo,
  NumaDistance,
  NumaDistanceInfo,
  PayloadConfig,
  PayloadConfigInfo,
  PciBar,
  PciBarType,
  PciDeviceInfo,
  PciSegmentConfig,
  PciSegmentConfigInfo,
  PioAddressRange,
  PlatformConfig,
  PlatformConfigInfo,
  PmemConfig,
  PmemConfigInfo,
  PvmemcontrolConfig,
  RateLimiterConfig,
  RateLimiterConfigInfo,
  RateLimitGroupConfig,
  RateLimitGroupConfigInfo,
  ReceiveMigrationData,
  Resource,
  RestoreConfig,
  RestoredNetConfig,
  RestoredVfioConfig,
  RngConfig,
  RtcConfig,
  RtcConfigInfo,
  SendMigrationData,
  SerialConfig,
  TimeoutStrategy,
  TokenBucket,
  TokenBucketInfo,
  TpmConfig,
  UserDeviceConfig,
  UserDeviceConfigInfo,
  VdpaConfig,
  VdpaConfigInfo,
  VhostMode,
  VirtQueueAffinity,
  VmAddUserDevice,
  VmConfig,
  VmConfigInfo,
  VmCoredumpData,
  VmCounters,
  VmInfo,
  VmMemoryZoneUpdateData,
  VmmPingResponse,
  VmRemoveDevice,
  VmResize,
  VmResizeDisk,
  VmResizeZone,
  VmSnapshotConfig,
  VmState,
  VsockConfig,
  VsockConfigInfo,
} from "./src/generated/types.gen.ts";
