/** The flags that name what the VM boots. */
import type {
  FwCfgConfig,
  FwCfgItem,
  PayloadConfig,
} from "../generated/types.gen.ts";
import { given } from "./given.ts";
import { OptionList } from "./option_list.ts";
import type { FlagValue } from "./parse_flags.ts";
import { reader, text } from "./reader.ts";
import { toggle } from "./values.ts";

/** The payload, or undefined where the command line asks for no VM. */
export function parsePayload(
  values: ReadonlyMap<string, readonly FlagValue[]>,
): PayloadConfig | undefined {
  const one = (flag: string) => values.get(flag)?.[0]?.text;
  const kernel = one("--kernel");
  const firmware = one("--firmware");
  const igvm = one("--igvm");
  if ((kernel ?? firmware ?? igvm) === undefined) return undefined;
  const fwCfg = values.get("--fw-cfg-config")?.[0];
  return given({
    kernel,
    initramfs: one("--initramfs"),
    cmdline: one("--cmdline"),
    firmware,
    igvm,
    host_data: one("--host-data"),
    fw_cfg_config: fwCfg && parseFwCfg(fwCfg),
  });
}

/** `[name=a,file=/b:name=c,string=d]`: items with colons between them. */
const items = reader("items such as [name=a,file=/b]", (value, program) => {
  const body = /^\[([^]*)\]$/.exec(value.trim())?.[1];
  if (body === undefined) return undefined;
  const item_list: FwCfgItem[] = [];
  for (const part of body.split(":")) {
    const given = { flag: "--fw-cfg-config", text: part, index: 0, program };
    try {
      const { name, ...rest } = new OptionList(given, itemOptions)
        .read(itemOptions);
      if (name === undefined) return undefined;
      item_list.push({ name, ...rest });
    } catch {
      return undefined;
    }
  }
  return { item_list };
});

const itemOptions = { name: text, file: text, string: text } as const;

const fwCfgOptions = {
  e820: toggle,
  kernel: toggle,
  cmdline: toggle,
  initramfs: toggle,
  acpi_table: toggle,
  items,
} as const;

function parseFwCfg(value: FlagValue): FwCfgConfig {
  const list = new OptionList(value, fwCfgOptions);
  const { acpi_table, ...rest } = list.read(fwCfgOptions);
  return given({ ...rest, acpi_tables: acpi_table });
}
