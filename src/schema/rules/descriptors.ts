/** File descriptors, which JSON cannot carry. */
import { DESCRIPTORS } from "../config.ts";
import { joinPath, type Violation, violation } from "./rule.ts";

const ADVICE = "start the VMM with the descriptors instead, by the options " +
  '"fds" and "args" of spawnVmm()';
const IGNORED = "JSON cannot carry a file descriptor, so the VMM ignores it";

/** The descriptors in a request, as the caller gave them. */
export function* descriptorViolations(
  body: unknown,
  path = "",
): Generator<Violation> {
  if (typeof body !== "object" || body === null) return;
  for (const [key, value] of Object.entries(body)) {
    const step = Array.isArray(body) ? `${path}[${key}]` : joinPath(path, key);
    if (!DESCRIPTORS.includes(key)) yield* descriptorViolations(value, step);
    else if (Array.isArray(value) ? value.length > 0 : value !== null) {
      const effect = /^(net\[\d+\]\.)?fds$/.test(step)
        ? " and makes a new tap interface"
        : "";
      yield violation(step, `${IGNORED}${effect}`, { advice: ADVICE });
    }
  }
}

/** Requests that need descriptors beside the body. */
export function* missingDescriptors(
  { net_fds = [], vfio_fds }: {
    net_fds?: readonly { num_fds?: number | bigint }[];
    vfio_fds?: unknown;
  },
): Generator<Violation> {
  const message = "Bad Request: the request needs file descriptors, which " +
    "JSON cannot carry";
  const counts = net_fds.map(({ num_fds }) => BigInt(num_fds ?? 0));
  if (counts.some((count) => count > 0n)) {
    const advice = "restore by spawnVmm() instead, with the option " +
      '"fds" and the arguments "--restore", ' +
      '"source_url=…,net_fds=[<id>@[<fd>]]"';
    yield violation("net_fds", message, { advice });
  }
  if (vfio_fds !== undefined) {
    yield violation("vfio_fds", message, { advice: ADVICE });
  }
}
