/** Each option of `spawnVmm`, on the stand-in program and on a real VMM. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { spawnVmm, type SpawnVmmOptions } from "../../src/process/mod.ts";
import { programCommand } from "../support/owner_script.ts";
import { CPUS_FLAG, GIVEN, NO_FILTER, testVmm } from "../support/real_vmm.ts";
import {
  inDirectory,
  opens,
  programs,
  smallVm,
  sparse,
} from "../support/vmms.ts";

for (const { name, command, test } of programs) {
  test(`spawnVmm() takes args, env, logFile and fds with ${name}`, () =>
    inDirectory(async (directory) => {
      const logFile = join(directory, "log");
      const listening = join(directory, "text");
      writeFileSync(listening, "");
      const fd = openSync(listening, "r");
      const vmm = await spawnVmm({
        command: typeof command === "string" ? [command] : command,
        args: ["-v", "-v"],
        env: { CHV_TEST: "a word" },
        logFile,
        fds: [fd],
        seccomp: "log",
        stdout: "inherit",
        timeoutMs: 20_000,
        stopTimeoutMs: 5000,
        signal: new AbortController().signal,
        onSignal: "ignore",
        parentDeathSignal: true,
        client: { timeoutMs: 20_000, maxConnections: 2 },
      });
      await vmm.client.vmm.ping();
      const environment = readFileSync(`/proc/${vmm.pid}/environ`, "utf8");
      assert.ok(environment.split("\0").includes("CHV_TEST=a word"));
      const line = readFileSync(`/proc/${vmm.pid}/cmdline`, "utf8");
      assert.match(line, /\0--seccomp\0log\0/);
      assert.ok(existsSync(logFile));
      closeSync(fd);
      await vmm[Symbol.asyncDispose]();
      assert.equal((await vmm.exited).exitCode, 0);
    }));

  for (const seccomp of [true, false]) {
    const isEnded = seccomp && name === "a real VMM" && NO_FILTER !== undefined;
    const testFilter = isEnded ? testVmm(NO_FILTER) : test;
    testFilter(
      `spawnVmm({ seccomp: ${seccomp} }) boots a VM with ${name}`,
      () =>
        inDirectory(async (directory) => {
          const config = smallVm(directory);
          const vmm = await spawnVmm({ command, seccomp, config });
          assert.equal((await vmm.client.vm.info()).state, "Running");
          await vmm.kill();
        }),
    );
  }

  test(`spawnVmm({ landlock: true }) confines ${name} to the files of its VM`, () =>
    inDirectory(async (directory) => {
      const config = smallVm(directory, {
        disks: [{ path: sparse(join(directory, "a")), image_type: "Raw" }],
      });
      const vmm = await spawnVmm({ command, landlock: true, config });
      const { vm } = vmm.client;
      const info = await vm.info();
      assert.equal(info.state, "Running");
      assert.equal(info.config.landlock_enable, true);
      if (name === "a real VMM") {
        const path = sparse(join(directory, "b"));
        await assert.rejects(vm.addDisk({ path, image_type: "Raw" }), {
          name: "ApiError",
          message: /Permission denied/,
        });
      }
      await vmm.kill();
    }));

  test(`spawnVmm() boots the VM of the command line of ${name}`, () =>
    inDirectory(async (directory) => {
      const { payload } = smallVm(directory);
      const args = [
        `--kernel=${payload!.kernel}`,
        "--cpus",
        CPUS_FLAG,
        "--memory",
        "size=64M",
        "--console",
        "off",
      ];
      const vmm = await spawnVmm({ command, args });
      const { state, config } = await vmm.client.vm.info();
      assert.equal(state, "Running");
      assert.equal(config.payload?.kernel, payload!.kernel);
      await vmm.kill();
      args[0] = `--kernel=${join(directory, "missing")}`;
      await assert.rejects(spawnVmm({ command, args }), {
        name: "VmmExitedError",
        exitCode: 1,
      });
    }));
}

test("spawnVmm() refuses options that cannot work together", async () => {
  const detached = { detach: true, directory: "missing/vmm" } as const;
  const refused: [SpawnVmmOptions, string, RegExp][] = [
    [{ landlock: true }, "landlock", /it confines the VM of config/],
    [
      { args: ["--kernel", "/k"], config: {} },
      "config",
      /args describe a VM already, by --kernel/,
    ],
    [
      { args: ["--net", "fd=3"], config: {} },
      "args",
      /--net needs a VM on the command line/,
    ],
    [{ logFile: "file:///log" }, "logFile", /takes a path, not the URL/],
    [{ directory: 'a"b' }, "directory", /cannot quote/],
    [{ detach: true }, "directory", /the next run finds the VMM/],
    [{ ...detached, directory: 'a"b' }, "directory", /cannot quote/],
    [{ ...detached, console: true }, "console", /mode: "File"/],
    [{ ...detached, onSignal: "stop" }, "onSignal", /ends the VMM with/],
    [{ ...detached, onReboot: "end" }, "onReboot", /script that runs/],
    [{ ...detached, onPanic: "end" }, "onPanic", /script that runs/],
    [
      { ...detached, parentDeathSignal: true },
      "parentDeathSignal",
      /ends the VMM with/,
    ],
    [{ ...detached, stdout: "inherit" }, "stdout", /the file "stdout"/],
    [{ directory: "unix:/run" }, "directory", /takes a path, not the URL/],
  ];
  for (const [options, field, message] of refused) {
    await assert.rejects(spawnVmm(options), {
      code: "invalid_request",
      field,
      message,
    });
  }
});

const [, real] = programs;
const hasTap = real!.command !== "" && opens("/dev/kvm") &&
  opens("/dev/net/tun") && existsSync("/usr/bin/perl");
const NO_TAP = "needs a VMM, /dev/net/tun and perl, which opens a tap";
const tapTest = testVmm(hasTap ? undefined : NO_TAP);

tapTest(
  "spawnVmm({ fds }) gives a VM of a real VMM the network of a descriptor",
  () =>
    inDirectory((directory) => {
      const { payload } = smallVm(directory);
      const args = [real!.command as string, payload!.kernel!];
      const output = runWithTap([...programCommand("net_fd"), ...args]);
      const [state, net] = JSON.parse(output);
      assert.equal(state, "Running");
      assertDescriptorNet(net);
    }),
);

const remote = process.env["CH_REMOTE"] ??
  join(dirname(GIVEN), "ch-remote");

testVmm(
  hasTap && existsSync(remote) ? undefined : `${NO_TAP}, and ch-remote`,
)(
  "ch-remote adds a network of a descriptor that it inherits to a real VMM",
  () =>
    inDirectory((directory) => {
      const { payload } = smallVm(directory);
      const args = [remote, real!.command as string, payload!.kernel!];
      const output = runWithTap([...programCommand("ch_remote_fd"), ...args]);
      assertDescriptorNet(JSON.parse(output));
    }),
);

test("docs/ch-remote.md shows the call that is tested", () => {
  const callIn = (path: string): string => {
    const text = readFileSync(new URL(path, import.meta.url), "utf8");
    return /execFileSync\((?:remote!|"ch-remote")(, [^]*?\})\)/.exec(text)![1]!
      .replaceAll(/[\s,]/g, "");
  };
  const page = callIn("../../docs/ch-remote.md");
  assert.match(page, /"inherit"fd\]/);
  assert.equal(page, callIn("../programs/ch_remote_fd.ts"));
});

/** Runs a program with the descriptor of a new tap as its last argument. */
function runWithTap(line: readonly string[]): string {
  // TUNSETIFF with IFF_TAP, IFF_NO_PI and IFF_VNET_HDR.
  const script = '$^F = 99; open(my $tap, "+<", "/dev/net/tun") or die $!; ' +
    'my $request = pack("a16 s x22", "chv%d", 0x5002); ' +
    "ioctl($tap, 0x400454ca, $request) or die $!; " +
    "exec(@ARGV, fileno($tap))";
  return execFileSync("perl", ["-e", script, ...line], {
    encoding: "utf8",
    env: { ...process.env },
  });
}

// deno-lint-ignore no-explicit-any -- JSON of another program
function assertDescriptorNet(net: any): void {
  assert.equal(net.length, 1);
  assert.equal(net[0].id, "net");
  assert.equal(net[0].fds.length, 1);
  assert.equal(net[0].tap, undefined);
}
