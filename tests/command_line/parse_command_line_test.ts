/** parseCommandLine(): the forms of each flag, and the errors. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CloudHypervisorError, errorFrom, type VmConfig } from "../../mod.ts";
import {
  CommandLineError,
  parseCommandLine,
} from "../../src/command_line/mod.ts";

/** The configuration of a VM with these flags, without its payload. */
function configOf(...argv: string[]): VmConfig {
  const { config } = parseCommandLine(["--kernel", "/k", ...argv]);
  const { payload, ...rest } = config!;
  assert.deepEqual(payload, { kernel: "/k" });
  return rest;
}

const FORMS: readonly (readonly [string[], VmConfig])[] = [
  [["--cpus", "boot=2,topology=1:2:1:1"], {
    cpus: {
      boot_vcpus: 2,
      max_vcpus: 2,
      topology: {
        threads_per_core: 1,
        cores_per_die: 2,
        dies_per_package: 1,
        packages: 1,
      },
    },
  }],
  [["--cpus", "max=3,affinity=[0@[0,2-4],1@[7]],features=[amx]"], {
    cpus: {
      boot_vcpus: 1,
      max_vcpus: 3,
      affinity: [
        { vcpu: 0, host_cpus: [0, 2, 3, 4] },
        { vcpu: 1, host_cpus: [7] },
      ],
      features: { amx: true },
    },
  }],
  [["--cpus", "nested=OFF,core_scheduling=vcpu,profile=Host"], {
    cpus: {
      boot_vcpus: 1,
      max_vcpus: 1,
      nested: false,
      core_scheduling: "Vcpu",
      profile: "Host",
    },
  }],
  [["--memory", "size=1G,hotplug_method=Virtio-Mem,hotplug_size=16777216G"], {
    memory: {
      size: 1024 ** 3,
      hotplug_method: "VirtioMem",
      hotplug_size: 2n ** 54n,
    },
  }],
  // The program knows `file` of --memory, and ignores it.
  [[
    "--memory",
    "mergeable=on,file=/x",
    "--memory-zone",
    "id=a",
    "id=b,size=1K,mergeable=off",
  ], {
    memory: {
      size: 512 << 20,
      mergeable: true,
      zones: [
        { id: "a", size: 512 << 20, mergeable: true },
        { id: "b", size: 1024, mergeable: false },
      ],
    },
  }],
  [["--disk", 'path="/a,b.raw",id=,serial="x""y"', "path=/c,path=/d"], {
    disks: [{ path: "/a,b.raw", serial: 'x"y' }, { path: "/d" }],
  }],
  [[
    "--disk",
    "path=/a,bw_size=10,bw_refill_time=20,ops_size=5,image_type=VMDK",
  ], {
    disks: [{
      path: "/a",
      image_type: "FlatVmdk",
      rate_limiter_config: {
        bandwidth: { size: 10, one_time_burst: 0, refill_time: 20 },
      },
    }],
  }],
  // Of a vhost-user disk, the program does not look at the type.
  [["--disk", "vhost_user=on,socket=/s,image_type=bogus,_disable_aio=true"], {
    disks: [{ vhost_user: true, vhost_socket: "/s", disable_aio: true }],
  }],
  [["--disk", "path=/a,queue_affinity=[0@[1]],lock_granularity=byte-range"], {
    disks: [{
      path: "/a",
      queue_affinity: [{ queue_index: 0, host_cpus: [1] }],
      lock_granularity: "ByteRange",
    }],
  }],
  [
    ["--net", "tap=,mac=,ip=,mask=", "--net", "fd=[3,4],mac=AA:00:00:00:00:01"],
    {
      net: [{}, { mac: "aa:00:00:00:00:01", fds: [3, 4] }],
    },
  ],
  [[
    "--numa",
    "guest_numa_id=0,cpus=[0-1,3],distances=[1@20,2@25],memory_zones=[a,b]",
  ], {
    numa: [{
      guest_numa_id: 0,
      cpus: [0, 1, 3],
      memory_zones: ["a", "b"],
      distances: [
        { destination: 1, distance: 20 },
        { destination: 2, distance: 25 },
      ],
    }],
  }],
  [[
    "--platform",
    'serial_number=k=v,uuid=u,oem_strings=["a,b",c],iommufd_fd=5,iommu_address_width=39',
  ], {
    platform: {
      oem_strings: ['"a,b"', "c"],
      iommufd: true,
      iommufd_fd: 5,
      iommu_address_width_bits: 39,
      system_serial_number: "k=v",
      system_uuid: "u",
    },
  }],
  [[
    "--serial",
    "tty",
    "--console",
    "file=/c,iommu=on",
    "--debug-console",
    "off",
  ], {
    serial: { mode: "Tty" },
    console: { mode: "File", file: "/c", iommu: true },
    debug_console: { mode: "Off" },
  }],
  [["--debug-console", "file=/d,iobase=0xE9"], {
    debug_console: { mode: "File", file: "/d", iobase: 0xe9 },
  }],
  [["--rtc", "--watchdog", "--pvpanic", "--landlock", "--gdb", "path=/g"], {
    rtc: {},
    watchdog: true,
    pvpanic: true,
    landlock_enable: true,
    gdb: true,
  }],
  [["--rng", "iommu=on", "--balloon", "deflate_on_oom=on"], {
    rng: { src: "/dev/urandom", iommu: true },
    balloon: { size: 0, deflate_on_oom: true },
  }],
  [["--generic-vhost-user", "socket=/s,queue_sizes=[64,128],device_type=fs"], {
    generic_vhost_user: [
      { socket: "/s", queue_sizes: [64, 128], device_type: 26 },
    ],
  }],
  [[
    "--rate-limit-group",
    "id=a,ops_size=1,ops_refill_time=2,ops_one_time_burst=3",
  ], {
    rate_limit_groups: [{
      id: "a",
      rate_limiter_config: {
        ops: { size: 1, one_time_burst: 3, refill_time: 2 },
      },
    }],
  }],
];

test("each form of a flag becomes the same configuration as in the program", () => {
  for (const [argv, config] of FORMS) {
    assert.deepEqual(configOf(...argv), config, argv.join(" "));
  }
});

test("the payload has all that the guest boots from", () => {
  const argv = "--firmware /f --initramfs /i --cmdline".split(" ");
  const { config } = parseCommandLine([...argv, "a=1 b=2"]);
  assert.deepEqual(config, {
    payload: { firmware: "/f", initramfs: "/i", cmdline: "a=1 b=2" },
  });
});

test("the flags of the process are apart from the VM", () => {
  const { config, vmm } = parseCommandLine([
    ...["--api-socket", "/run/a.sock", "--event-monitor", "fd=5"],
    ...["--log-file=/l", "--log-format", "{msg}", "-vv", "--no-shutdown"],
    ...["--seccomp", "log"],
  ]);
  assert.equal(config, undefined);
  assert.deepEqual(vmm, {
    apiSocket: { path: "/run/a.sock" },
    eventMonitor: { fd: 5 },
    landlock: false,
    logFile: "/l",
    logFormat: "{msg}",
    noShutdown: true,
    seccomp: "log",
    verbosity: 2,
  });
  const none = { landlock: false, noShutdown: false, seccomp: "true" };
  assert.deepEqual(parseCommandLine([]).vmm, {
    ...none,
    prints: "help",
    verbosity: 0,
  });
  assert.equal(parseCommandLine(["-vV"]).vmm.prints, "version");
});

test("a payload leaves --restore out, as the program ignores it", () => {
  const restore = ["--restore", "source_url=file:///s,net_fds=[n0@[3,4]]"];
  assert.deepEqual(parseCommandLine(restore).vmm.restore, {
    source_url: "file:///s",
    net_fds: [{ id: "n0", num_fds: 2, fds: [3, 4] }],
  });
  const { config, vmm } = parseCommandLine(["--kernel", "/k", ...restore]);
  assert.deepEqual(config, { payload: { kernel: "/k" } });
  assert.equal(vmm.restore, undefined);
});

const KERNEL = ["--kernel", "/k"];

/** A command line, and what its error says. */
const ERRORS: readonly (readonly [
  string[],
  Pick<CommandLineError, "reason" | "exitCode"> & Partial<CommandLineError>,
])[] = [
  [["--kernel", "/k", "--disk", "path=/a", "path=/b,readOnly=on"], {
    reason: "unknown_option",
    exitCode: 1,
    flag: "--disk",
    option: "readOnly",
    index: 4,
    message: '--disk "path=/b,readOnly=on" (argument 5): unknown option ' +
      '"readOnly"; did you mean "readonly"?',
  }],
  [[...KERNEL, "--memory", "size=1g"], {
    reason: "invalid_value",
    exitCode: 1,
    option: "size",
    value: "1g",
    message: '--memory "size=1g" (argument 4): size must be bytes such as ' +
      '1073741824, 512M or 1G, not "1g"',
  }],
  [[...KERNEL, "--numa", "guest_numa_id=0,cpus=[1-0]"], {
    reason: "invalid_value",
    exitCode: 1,
    option: "cpus",
    value: "[1-0]",
  }],
  [[...KERNEL, "--vsock", "cid=3"], {
    reason: "missing_option",
    exitCode: 1,
    option: "socket",
    message: '--vsock "cid=3" (argument 4): socket is missing',
  }],
  [[...KERNEL, "--disk", 'path="/a'], {
    reason: "invalid_syntax",
    exitCode: 1,
    flag: "--disk",
    value: 'path="/a',
  }],
  [[...KERNEL, "--disk", "path"], {
    reason: "invalid_syntax",
    exitCode: 1,
    message: '--disk "path" (argument 4): path needs a value, as in "path=…"',
  }],
  [[...KERNEL, "--numa", "guest_numa_id=0,device_id=a,cpus=0"], {
    reason: "conflicting_options",
    exitCode: 1,
    option: "device_id",
  }],
  [["--cpus", "boot=1"], {
    reason: "missing_payload",
    exitCode: 2,
    flag: "--cpus",
    message: "--cpus: needs a VM; add --kernel or --firmware",
  }],
  [["--kernel", "/k", "--cmdline", "a=1", "b=2"], {
    reason: "unexpected_argument",
    exitCode: 2,
    index: 4,
    value: "b=2",
    message: '"b=2" (argument 5): no flag takes this value; quote a value ' +
      "that has spaces",
  }],
  [["--kernl", "/k"], {
    reason: "unexpected_argument",
    exitCode: 2,
    message: '"--kernl" (argument 1): there is no such flag; did you mean ' +
      '"--kernel"?',
  }],
  [[...KERNEL, "--watchdog=on"], {
    reason: "unexpected_value",
    exitCode: 2,
    value: "on",
  }],
  [[...KERNEL, "--net", "--rng"], {
    reason: "missing_value",
    exitCode: 2,
    flag: "--net",
    index: 2,
  }],
  [[...KERNEL, ...KERNEL], {
    reason: "repeated_flag",
    exitCode: 2,
    flag: "--kernel",
  }],
  [["--seccomp", "off"], {
    reason: "invalid_value",
    exitCode: 2,
    message:
      "--seccomp (argument 1): must be one of true, false, log, errno, " +
      'not "off"',
  }],
  [["--event-monitor", "path="], {
    reason: "missing_option",
    exitCode: 101,
    option: "path",
  }],
  [["--log-format", "{mesg}"], {
    reason: "invalid_value",
    exitCode: 1,
    value: "mesg",
  }],
  [["--restore", "resume=on"], {
    reason: "missing_option",
    exitCode: 1,
    option: "source_url",
  }],
];

test("an error names the flag, the place and the reason", () => {
  for (const [argv, expected] of ERRORS) {
    assert.throws(() => parseCommandLine(argv), (error) => {
      assert.ok(error instanceof CommandLineError, String(error));
      assert.ok(error instanceof CloudHypervisorError);
      assert.equal(error.code, "invalid_command_line");
      for (const [key, value] of Object.entries(expected)) {
        const actual: unknown = error[key as keyof CommandLineError];
        assert.equal(actual, value, `${key} of ${argv.join(" ")}`);
      }
      return true;
    }, argv.join(" "));
  }
});

test("an error passes through JSON without a loss", () => {
  const argv = [...KERNEL, "--disk", "path=/a,readOnly=on"];
  assert.throws(() => parseCommandLine(argv), (error) => {
    const again = errorFrom(JSON.parse(JSON.stringify(error)));
    assert.ok(again instanceof CommandLineError);
    assert.equal(again.retry, "never");
    assert.deepEqual({ ...again }, { ...(error as CommandLineError) });
    assert.equal(again.message, (error as Error).message);
    return true;
  });
});

test("an unknown flag comes before the faults of the flag before it", () => {
  const parse = (...argv: string[]) => {
    try {
      return parseCommandLine(argv);
    } catch (error) {
      return (error as CommandLineError).reason;
    }
  };
  assert.equal(parse("--kernel", "--foo"), "unexpected_argument");
  assert.equal(parse("--kernel", "--cpus"), "missing_value");
  assert.equal(parse("--seccomp", "off", "--foo"), "unexpected_argument");
  assert.equal(parse("--seccomp", "off", "--kernel"), "invalid_value");
});

test("an empty value is as if the option were not there", () => {
  assert.deepEqual(configOf("--disk", ""), { disks: [{}] });
  assert.deepEqual(configOf("--disk", "path=,readonly=,queue_size="), {
    disks: [{}],
  });
});
