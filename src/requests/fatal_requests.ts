/**
 * Requests that stop or hang the VMM process, and every guest in it. The VMM
 * does not refuse them, so the client does unless `allowFatal` is set.
 */
import type { OperationName } from "../generated/api.gen.ts";
import type {
  ReceiveMigrationData,
  SendMigrationData,
  VmResize,
} from "../generated/types.gen.ts";
import { fatalConfigFields, smallMemory } from "./fatal_config.ts";
import { type FatalField, stops } from "./fatal_field.ts";
import { isIpv6, isNumericHost } from "./ip_address.ts";

/** The fields of a body that stop or hang the VMM. */
export function findFatalFields(
  name: OperationName,
  body: unknown,
): Iterable<FatalField> {
  if (typeof body !== "object" || body === null) return [];
  return CHECKS[name]?.(body as never) ?? [];
}

const CHECKS: {
  readonly [name in OperationName]?: (body: never) => Iterable<FatalField>;
} = {
  "vm.create": fatalConfigFields,
  "vm.receive-migration": ({ receiver_url }: ReceiveMigrationData) =>
    fatalHosts("receiver_url", String(receiver_url)),
  "vm.send-migration": ({ destination_url }: SendMigrationData) =>
    fatalHosts("destination_url", String(destination_url)),
  // A VM that is not booted gets any size.
  "vm.resize": ({ desired_ram }: VmResize) =>
    smallMemory("desired_ram", Number(desired_ram ?? 0)),
};

/** The sandbox of the VMM forbids to look up the name of a host. */
function* fatalHosts(field: string, url: string): Iterable<FatalField> {
  const host = /^tcp:(.+):\d+$/.exec(url)?.[1];
  if (!url.startsWith("tcp:") || host !== undefined && isLiteral(host)) return;
  yield stops(field, `a tcp: host that is not an IP address (${url})`);
}

function isLiteral(host: string): boolean {
  return host.startsWith("[")
    ? host.endsWith("]") && isIpv6(host.slice(1, -1))
    : isNumericHost(host);
}
