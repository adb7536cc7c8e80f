/** A fake VMM with a running VM, for the tests of workflows. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OperationName } from "../../mod.ts";
import type { FakeVmmOptions } from "../../testing/mod.ts";
import { type Faked, faked } from "./vmms.ts";

export const VM = { payload: { kernel: "/boot/vmlinux" } };
export const REFUSAL: { status: number; chain: string[] } = {
  status: 500,
  chain: ["Error from API", "not today"],
};

export interface RunningVm extends Faked {
  readonly directory: string;
}

/** Calls `body` with a fake VMM that has a running VM. */
export async function running(
  body: (vm: RunningVm) => Promise<void>,
  options: FakeVmmOptions = {},
  boot = true,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "chv-test-"));
  const instance = await faked(directory, options);
  try {
    if (boot) {
      await instance.vmm.client.vm.create(VM);
      await instance.vmm.client.vm.boot();
    }
    await body({ ...instance, directory });
  } finally {
    await instance.end();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A fault that makes an operation fail. */
export function refuse(operation: OperationName): {
  operation: OperationName;
  fault: typeof REFUSAL;
} {
  return { operation, fault: REFUSAL };
}

/** The state of the VM. */
export async function stateOf({ vmm }: Faked): Promise<string> {
  return (await vmm.client.vm.info()).state;
}
