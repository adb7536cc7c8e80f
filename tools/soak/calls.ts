/** Random calls, in random states, some of them given up. */
import type { CallOptions, Client, VmConfig } from "../../mod.ts";
import { freshSeed, randomFrom } from "../../tests/support/random.ts";
import type { Ledger } from "./ledger.ts";

type Make = (client: Client, id: string, options: CallOptions) => Promise<
  unknown
>;

/** Makes calls until `isOver`. */
export async function callAtRandom(
  client: Client,
  config: VmConfig,
  ledger: Ledger,
  isOver: () => boolean,
): Promise<void> {
  const makes = choices(config);
  while (!isOver()) {
    const calls = Array.from({ length: below(6) + 1 }, async () => {
      const { isMarked, make } = makes[below(makes.length)]!;
      const id = ledger.next(isMarked);
      const controller = new AbortController();
      const { signal } = controller;
      const reason = { gaveUp: id };
      const timer = below(4) === 0
        ? setTimeout(() => controller.abort(reason), below(20))
        : undefined;
      const timeoutMs = below(6) === 0 ? below(20) + 1 : 20_000;
      await ledger.settle(id, make(client, id, { signal, timeoutMs }), reason);
      clearTimeout(timer);
    });
    await Promise.all(calls);
  }
}

interface Choice {
  /** True if the request contains the id. */
  readonly isMarked: boolean;
  readonly make: Make;
}

/** Those that read are as many as those that write. */
function choices(config: VmConfig): readonly Choice[] {
  const [disk] = config.disks!;
  const marked: readonly Make[] = [
    ({ vm }, id, options) =>
      vm.create({ ...config, disks: [{ id, ...disk }] }, options),
    ({ vm }, id, options) => vm.addDisk({ id, ...disk }, options),
    ({ vm }, id, options) => vm.addNet({ id }, options),
    ({ vm }, id, options) => vm.removeDevice({ id }, options),
  ];
  const others: readonly Make[] = [
    ({ vmm }, _, options) => vmm.ping(options),
    ({ vmm }, _, options) => vmm.ping(options),
    ({ vm }, _, options) => vm.info(options),
    ({ vm }, _, options) => vm.info(options),
    ({ vm }, _, options) => vm.counters(options),
    ({ vm }, _, options) => vm.boot(options),
    ({ vm }, _, options) => vm.boot(options),
    ({ vm }, _, options) => vm.pause(options),
    ({ vm }, _, options) => vm.resume(options),
    ({ vm }, _, options) => below(8) ? vm.info(options) : vm.shutdown(options),
    ({ vm }, _, options) => below(8) ? vm.info(options) : vm.delete(options),
  ];
  return [
    ...marked.map((make) => ({ isMarked: true, make })),
    ...others.map((make) => ({ isMarked: false, make })),
  ];
}

const random = randomFrom(freshSeed);

/** Returns a random integer from 0 up to, but not including, the limit. */
export function below(limit: number): number {
  return Math.floor(random() * limit);
}
