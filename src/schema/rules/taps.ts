/** `net`: the tap interfaces that the VMM makes or opens. */
import type { NetConfigInfo } from "../../generated/types.gen.ts";
import type { Config } from "../config.ts";
import { show } from "../show.ts";
import { ipProblem } from "./tap_address.ts";
import { type Violation, violation } from "./rule.ts";

const MAX_NAME = 15;
const MAX_MTU = 65_521;

/** The interfaces that no host can make. */
export function* tapViolations(
  { net = [] }: Partial<Config>,
): Generator<Violation> {
  const users = new Map<string, { path: string; queues: number }>();
  for (const [index, item] of net.entries()) {
    if (item.vhost_user) continue;
    const path = `net[${index}]`;
    yield* nameViolations(item, path);
    yield* addressViolations(item, path);
    const { tap, num_queues } = item;
    if (!tap || tap.includes("%")) continue;
    const queues = Number(num_queues);
    const user = users.get(tap);
    users.set(tap, user ?? { path, queues });
    // Interfaces with several pairs of queues may be shared.
    if (user === undefined || user.queues > 3 && queues > 3) continue;
    const advice = `"${user.path}" has the same interface`;
    const message = "Device or resource busy (os error 16)";
    yield violation(`${path}.tap`, message, { advice });
  }
}

function* nameViolations(
  { tap }: NetConfigInfo,
  path: string,
): Generator<Violation> {
  if (tap === undefined) return;
  if (tap === "") {
    const message = "Getting MAC address failed: No such device (os error 19)";
    const advice = 'leave "tap" out';
    yield violation(`${path}.tap`, message, { advice, until: "v52.0" });
  }
  const bytes = new TextEncoder().encode(tap);
  if (bytes.length > MAX_NAME) {
    const message = "Interface name too long (max length is " +
      `${MAX_NAME}): ${tap}`;
    const advice = `it has ${bytes.length} bytes`;
    yield violation(`${path}.tap`, message, { advice });
  } else if (tap.includes("\0") || isForbidden(tap)) {
    const message = `Unable to configure tap interface ${show(tap)}: ` +
      "Invalid argument (os error 22)";
    const advice = 'use a name without "/", ":", "%" and blanks';
    // Before v52.0, the name ends at the first NUL.
    const since = isForbidden(tap.split("\0", 1)[0]!) ? undefined : "v52.0";
    yield violation(`${path}.tap`, message, { advice, since });
  }
}

function isForbidden(name: string): boolean {
  const bytes = new TextEncoder().encode(name);
  return name === "." || name === ".." ||
    // The kernel tests bytes, and takes 0xa0 for a blank.
    bytes.some((byte) => FORBIDDEN.includes(byte)) ||
    !/^[^%]*(%d[^%]*)?$/.test(name);
}

/** Tab to carriage return, blank, slash, colon. */
const FORBIDDEN = [9, 10, 11, 12, 13, 0x20, 0x2f, 0x3a, 0xa0];

function* addressViolations(
  { ip, mask, mtu, host_mac }: NetConfigInfo,
  path: string,
): Generator<Violation> {
  const problem = ip === undefined ? undefined : ipProblem(ip, mask);
  if (problem !== undefined) {
    const { field, message, advice } = problem;
    yield violation(`${path}.${field}`, message, { advice });
  }
  if (mtu !== undefined && mtu > MAX_MTU) {
    const message = "Setting MTU failed: Invalid argument (os error 22)";
    const advice = `use 1280 to ${MAX_MTU}, not ${mtu}`;
    yield violation(`${path}.mtu`, message, { advice });
  }
  const first = Number.parseInt(host_mac?.slice(0, 2) ?? "2", 16);
  if (first % 2 === 1 || host_mac === "00:00:00:00:00:00") {
    const message = "Setting MAC address failed: Cannot assign requested " +
      "address (os error 99)";
    const advice = "the first byte must be even, and not all bytes 0, such " +
      'as in "02:00:00:00:00:01"';
    yield violation(`${path}.host_mac`, message, { advice });
  }
}
