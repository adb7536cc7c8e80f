/** Every member of a configuration can be given on the command line. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import { parseCommandLine } from "../../src/command_line/mod.ts";

const PCI = "id=a,iommu=on,pci_segment=1,pci_device_id=2";
const PLAIN_PCI = "id=a,pci_segment=1,pci_device_id=2";
const LIMITER = "bw_size=1,bw_refill_time=1,bw_one_time_burst=1," +
  "ops_size=1,ops_refill_time=1,ops_one_time_burst=1";
const HUGE = "hugepages=on,hugepage_size=2M,hotplug_size=1G," +
  "hotplugged_size=1G,shared=on,prefault=on,reserve=on,mergeable=on";

/** A command line with every option. */
const EVERY: Readonly<Record<string, string>> = {
  "--kernel": "/k",
  "--firmware": "/f",
  "--igvm": "/i",
  "--cmdline": "a",
  "--initramfs": "/r",
  "--host-data": "h",
  "--fw-cfg-config": "e820=on,kernel=on,cmdline=on,initramfs=on," +
    "acpi_table=on,items=[name=a,file=/b,string=c]",
  "--cpus": "boot=1,max=2,topology=1:1:1:2,kvm_hyperv=on,max_phys_bits=40," +
    "affinity=[0@[0]],features=amx,nested=on,core_scheduling=vm,profile=Host",
  "--memory": `size=1G,thp=on,hotplug_method=acpi,${HUGE}`,
  "--memory-zone": `id=a,size=1G,file=/f,host_numa_node=0,${HUGE}`,
  "--rate-limit-group": `id=a,${LIMITER}`,
  "--disk": "path=/d,readonly=on,direct=on,num_queues=1,queue_size=1," +
    "vhost_user=on,rate_limit_group=a,_disable_io_uring=on,_disable_aio=on," +
    "serial=s,queue_affinity=[0@[0]],backing_files=on,sparse=on," +
    `image_type=raw,lock_granularity=full,${LIMITER},${PCI}`,
  "--net": "tap=t,ip=1.1.1.1,mask=1.1.1.1,mac=00:00:00:00:00:01,host_mac=" +
    "00:00:00:00:00:02,mtu=1500,num_queues=2,queue_size=1,vhost_user=on," +
    "socket=/s,vhost_mode=client,fd=3,offload_tso=on,offload_ufo=on," +
    `offload_csum=on,${LIMITER},${PCI}`,
  "--rng": `src=/r,${PCI}`,
  "--rtc": PCI,
  "--balloon": `size=1,deflate_on_oom=on,free_page_reporting=on,${PCI}`,
  "--fs": `tag=a,socket=/s,num_queues=1,queue_size=1,${PLAIN_PCI}`,
  "--generic-vhost-user":
    `socket=/s,queue_sizes=[1],device_type=1,${PLAIN_PCI}`,
  "--pmem": `file=/f,size=1,discard_writes=on,${PCI}`,
  "--console": `pty,file=/f,socket=/s,${PCI}`,
  "--serial": "pty,file=/f,socket=/s",
  "--debug-console": "pty,file=/f,iobase=0xe9",
  "--device":
    `path=/d,fd=3,x_nv_gpudirect_clique=1,x_exclude_mmap_bars=[1],${PCI}`,
  "--user-device": `socket=/s,${PLAIN_PCI}`,
  "--vdpa": `path=/v,num_queues=1,${PCI}`,
  "--vsock": `cid=3,socket=/s,${PCI}`,
  "--numa": "guest_numa_id=0,cpus=[0],distances=[1@20],memory_zones=[a]," +
    "pci_segments=[1]",
  "--pci-segment":
    "pci_segment=1,mmio32_aperture_weight=1,mmio64_aperture_weight=1",
  "--platform": "num_pci_segments=1,iommu_segments=[1],iommu_address_width=" +
    "1,system_serial_number=a,system_uuid=a,oem_strings=[a]," +
    "system_manufacturer=a,system_product_name=a,system_version=a," +
    "system_family=a,system_sku_number=a,chassis_asset_tag=a,tdx=on," +
    "sev_snp=on,iommufd=on,iommufd_fd=3,vfio_p2p_dma=on",
  "--tpm": "socket=/s",
  "--landlock-rules": "path=/,access=r",
  "--ivshmem": `path=/p,size=1,${PLAIN_PCI}`,
  "--gdb": "path=/g",
};
const SWITCHES = ["--pvmemcontrol", "--pvpanic", "--watchdog", "--landlock"];

/** Members that no option sets, each with the reason. */
const WITHOUT_OPTION: Readonly<Record<string, string>> = {
  "VmConfig.iommu": "the program sets it where a device has iommu",
  "PlatformConfig.serial_number": "an alias, which the option is, too",
  "PlatformConfig.uuid": "an alias, which the option is, too",
  "FsConfig.iommu": "a vhost-user device has none",
  "GenericVhostUserConfig.iommu": "a vhost-user device has none",
  "UserDeviceConfig.iommu": "a device in another process has none",
  "SerialConfig.iommu": "old releases return it, and never use it",
  "IvshmemConfig.iommu": "the program has no such option",
  "DiskConfig.vhost_socket": "excludes image_type, which is in the line",
  "NumaConfig.device_id": "excludes cpus, which is in the line",
  "ConsoleConfig.file": "excluded by the mode, which is in the line",
  "ConsoleConfig.socket": "excluded by the mode, which is in the line",
  "SerialConfig.file": "excluded by the mode, which is in the line",
  "SerialConfig.socket": "excluded by the mode, which is in the line",
  "DebugConsoleConfig.file": "excluded by the mode, which is in the line",
};

interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
}

test("each member of a configuration has an option", () => {
  const path = new URL("../../spec/cloud-hypervisor.yaml", import.meta.url);
  const { components: { schemas } } = parse(readFileSync(path, "utf8")) as {
    components: { schemas: Record<string, Schema> };
  };
  const missing: string[] = [];
  let members = 0;
  const walk = (schema: Schema, name: string, value: unknown): void => {
    for (const part of [...schema.allOf ?? [], ...schema.anyOf ?? []]) {
      walk(part, name, value);
    }
    if (schema.$ref !== undefined) {
      const target = schema.$ref.split("/").at(-1)!;
      return walk(schemas[target]!, target, value);
    }
    if (schema.items !== undefined) {
      assert.ok(Array.isArray(value) && value.length === 1, name);
      return walk(schema.items, name, value[0]);
    }
    for (const [key, member] of Object.entries(schema.properties ?? {})) {
      const given = (value as Record<string, unknown>)[key];
      members++;
      if (given === undefined) missing.push(`${name}.${key}`);
      else walk(member, `${name}.${key}`, given);
    }
  };
  const { config } = parseCommandLine([
    ...Object.entries(EVERY).flat(),
    ...SWITCHES,
  ]);
  walk({ $ref: "#/VmConfig" }, "VmConfig", config);
  assert.ok(members > 200, `${members} members`);
  assert.deepEqual(missing.sort(), Object.keys(WITHOUT_OPTION).sort());
});
