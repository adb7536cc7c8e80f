/** Network interfaces on the host: what the kernel would refuse. */
import { isIPv4 } from "node:net";
import type { NetConfigInfo } from "../../src/generated/types.gen.ts";
import { osError } from "./vmm_error.ts";

/** The longest name of an interface in bytes. */
const MAX_NAME = 15;
/** The largest MTU of a tap: 65535 less an Ethernet header. */
const MAX_MTU = 65521;

const SET_ADDRESS = 35094;
const SET_NETMASK = 35100;
const SET_MTU = 35106;
const SET_MAC = 35108;

/** An interface that devices use. */
interface OpenTap {
  readonly multi: boolean;
  users: number;
}

/** The taps in use. They exist only in the fakes of this process. */
const open = new Map<string, OpenTap>();

/** The interfaces of the host, as one VMM opens them. */
export class Taps {
  /**
   * Opens the tap of a net device.
   *
   * @returns The error chain, or a function that closes the tap.
   */
  open(net: NetConfigInfo): readonly string[] | (() => void) {
    const { tap, num_queues: queues } = net;
    const multi = queues > 2;
    const problem =
      (tap === undefined ? undefined : this.#nameError(tap, multi)) ??
        addressError(net);
    if (problem !== undefined) return problem;
    // The kernel replaces a pattern, and an empty name, by a free name.
    const shared = tap === undefined || tap === "" || tap.includes("%");
    if (shared) return () => {};
    const used = open.get(tap) ?? { multi, users: 0 };
    used.users++;
    open.set(tap, used);
    return () => {
      if (--used.users === 0) open.delete(tap);
    };
  }

  #nameError(name: string, multi: boolean): readonly string[] | undefined {
    const used = open.get(name);
    if (used !== undefined && used.multi !== multi) {
      return [
        "Error related to the multiqueue support " +
        `(no support ${multi ? "TAP" : "device"} side)`,
      ];
    }
    const failed = "Open tap device failed";
    if (new TextEncoder().encode(name).length > MAX_NAME) {
      return [
        failed,
        `Interface name too long (max length is ${MAX_NAME}): ${name}`,
      ];
    }
    if (name.includes("\0")) {
      const shown = JSON.stringify(name).replaceAll("\\u0000", "\\0");
      return [failed, `Interface name contains interior NUL byte: ${shown}`];
    }
    // The queues of two devices can share a tap of several queues.
    const free = used === undefined || multi;
    if (isValidName(name) && free) return undefined;
    const code = isValidName(name) ? "EBUSY" : "EINVAL";
    return [failed, "Unable to configure tap interface", osError({ code })];
  }
}

/** The kernel's rules for names; `%d` stands for a number. */
function isValidName(name: string): boolean {
  return name !== "." && name !== ".." && !/[/:\s]/.test(name) &&
    /^[^%]*(%d[^%]*)?$/.test(name);
}

function addressError(
  { ip, mask, host_mac, mtu }: NetConfigInfo,
): readonly string[] | undefined {
  const failed = (what: string, request: number, code: string) => [
    what,
    `Ioctl failed (${request})`,
    osError({ code }),
  ];
  if (ip !== undefined) {
    const what = "Setting tap IP and/or netmask failed";
    const problem = isIPv4(ip) ? ipv4Error(ip, mask) : ipv6Error(ip, mask);
    if (problem === "mask") return [what, "Invalid netmask"];
    if (problem !== undefined) return failed(what, ...problem);
  }
  if (host_mac !== undefined && !isUnicast(host_mac)) {
    return failed("Setting MAC address failed", SET_MAC, "EADDRNOTAVAIL");
  }
  if (mtu !== undefined && mtu > MAX_MTU) {
    return failed("Setting MTU failed", SET_MTU, "EINVAL");
  }
  return undefined;
}

type AddressError = readonly [request: number, code: string];

function ipv4Error(ip: string, mask?: string): AddressError | undefined {
  const first = Number(ip.split(".")[0]);
  if (first >= 224 && first < 240) return [SET_ADDRESS, "EINVAL"];
  if (mask === undefined || !isIPv4(mask)) return undefined;
  const bits = mask.split(".")
    .map((part) => Number(part).toString(2).padStart(8, "0")).join("");
  if (!/^1*0*$/.test(bits)) return [SET_NETMASK, "EINVAL"];
  // The interface has got no address whose mask could be set.
  return ip === "0.0.0.0" ? [SET_NETMASK, "EADDRNOTAVAIL"] : undefined;
}

function ipv6Error(
  ip: string,
  mask?: string,
): AddressError | "mask" | undefined {
  if (mask !== undefined) {
    if (isIPv4(mask)) return "mask";
    const bits = groupsOf(mask)
      .map((group) => group.toString(2).padStart(16, "0")).join("");
    if (!/^1*0*$/.test(bits)) return "mask";
  }
  const refused = ip === "::" || ip === "::1" || /^ff/.test(ip);
  return refused ? [SET_ADDRESS, "EADDRNOTAVAIL"] : undefined;
}

/** The eight groups of an IPv6 address in its canonical form. */
function groupsOf(ip: string): number[] {
  const [left = "", right] = ip.split("::");
  const parse = (text = "") =>
    text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
  const [before, after] = [parse(left), parse(right)];
  const zeros = right === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...new Array<number>(zeros).fill(0), ...after];
}

function isUnicast(mac: string): boolean {
  const odd = parseInt(mac.slice(0, 2), 16) % 2 === 1;
  return !odd && mac !== "00:00:00:00:00:00";
}
