/** A device on the PCI bus of a VM. */
import type { Counters } from "./counters.ts";
import type { DeviceKind } from "./device_kind.ts";

/** A device on the PCI bus. */
export interface LiveDevice {
  readonly id: string;
  readonly kind: DeviceKind;
  readonly segment: number;
  readonly slot: number;
  readonly bdf: string;
  readonly counters: Counters | undefined;
  /** True if its registers are below 4 GiB, where firmware sees them. */
  readonly low: boolean;
  /** Bytes of a file that the device maps into the guest. */
  readonly mapped: bigint | undefined;
  /** True if the device booted behind the virtual IOMMU. */
  readonly behindIommu: boolean;
  /** True after `vm.remove-device`, until the guest releases the device. */
  leaving: boolean;
}

/** The PCI location of a device in a snapshot. */
export interface PciLocation {
  readonly bdf: string;
  readonly low: boolean;
}
