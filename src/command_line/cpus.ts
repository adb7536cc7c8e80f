/** `--cpus`. */
import type { CpusConfig, CpuTopology } from "../generated/types.gen.ts";
import { given } from "./given.ts";
import { integers, pairs, texts } from "./lists.ts";
import { OptionList } from "./option_list.ts";
import type { FlagValue } from "./parse_flags.ts";
import { unquote } from "./quotes.ts";
import { reader } from "./reader.ts";
import {
  choice,
  exactChoice,
  exactUnsigned,
  toggle,
  u32,
  u8,
} from "./values.ts";

/** `1:1:2:1`: threads of a core, cores of a die, dies of a package, packages. */
const topology = reader(
  "four numbers such as 1:2:1:1",
  (value): CpuTopology | undefined => {
    const parts = unquote(value).split(":").map((part) =>
      exactUnsigned(part, 16)
    );
    if (parts.length !== 4 || parts.includes(undefined)) return undefined;
    const [threads_per_core, cores_per_die, dies_per_package, packages] = parts
      .map(Number);
    return {
      threads_per_core: threads_per_core!,
      cores_per_die: cores_per_die!,
      dies_per_package: dies_per_package!,
      packages: packages!,
    };
  },
);

const cpusOptions = {
  boot: u32,
  max: u32,
  topology,
  kvm_hyperv: toggle,
  max_phys_bits: u8,
  affinity: pairs(u32, integers(64)),
  profile: exactChoice({ Host: "Host" }),
  features: texts,
  nested: toggle,
  core_scheduling: choice({ vm: "Vm", vcpu: "Vcpu", off: "Off" }),
} as const;

export function parseCpus(value: FlagValue): CpusConfig {
  const list = new OptionList(value, cpusOptions);
  const { boot = 1, max = boot, affinity, features, ...rest } = list
    .read(cpusOptions);
  for (const feature of features ?? []) {
    if (feature === "amx") continue;
    const text = `has no feature ${JSON.stringify(feature)}; there is amx`;
    throw list.fault("invalid_value", "features", feature, text);
  }
  return given({
    boot_vcpus: boot,
    max_vcpus: max,
    ...rest,
    affinity: affinity?.map(([vcpu, host_cpus]) => ({ vcpu, host_cpus })),
    features: features && { amx: true },
  });
}
