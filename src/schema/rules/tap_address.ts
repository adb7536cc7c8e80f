/** Checks whether an interface can get an IP address. */
import { isIpv4, isIpv6 } from "../../requests/ip_address.ts";
import { isIp } from "./formats.ts";

export interface AddressProblem {
  readonly field: "ip" | "mask";
  readonly message: string;
  readonly advice: string;
}

const FAILED = "Setting tap IP and/or netmask failed";
const NOT_HOST = "Cannot assign requested address (os error 99)";
const INVALID = "Invalid argument (os error 22)";

/** The reason why no interface can get an address and a mask. */
export function ipProblem(
  ip: string,
  mask: string | undefined,
): AddressProblem | undefined {
  return isIpv4(ip)
    ? ipv4Problem(ip, mask)
    : isIpv6(ip)
    ? ipv6Problem(ip, mask)
    : undefined;
}

function ipv4Problem(
  ip: string,
  mask: string | undefined,
): AddressProblem | undefined {
  const [first] = bytesOfIpv4(ip);
  const multicast = first! >= 224 && first! < 240;
  if (multicast || ip === "0.0.0.0") {
    return notHost(multicast ? INVALID : NOT_HOST, ip);
  }
  // The VMM ignores an IPv6 mask here.
  if (mask === undefined || !isIpv4(mask)) return undefined;
  if (isMask(bytesOfIpv4(mask))) return undefined;
  const advice = 'use a mask such as "255.255.255.0"';
  return { field: "mask", message: `${FAILED}: ${INVALID}`, advice };
}

function ipv6Problem(
  ip: string,
  mask: string | undefined,
): AddressProblem | undefined {
  const bytes = bytesOfIpv6(ip);
  const small = bytes.slice(0, 15).every((byte) => byte === 0) &&
    bytes[15]! <= 1;
  if (small || bytes[0] === 0xff) return notHost(NOT_HOST, ip);
  if (mask === undefined || isIpv6(mask) && isMask(bytesOfIpv6(mask))) {
    return undefined;
  }
  // The format of a text that is no address is reported elsewhere.
  if (!isIp(mask)) return undefined;
  const advice = 'use a mask such as "ffff:ffff:ffff:ffff::"';
  return { field: "mask", message: `${FAILED}: Invalid netmask`, advice };
}

function notHost(cause: string, ip: string): AddressProblem {
  const advice = `use the address of a host, not "${ip}"`;
  return { field: "ip", message: `${FAILED}: ${cause}`, advice };
}

/** True if no bit 1 follows a bit 0. */
function isMask(bytes: readonly number[]): boolean {
  const bits = bytes.map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return /^1*0*$/.test(bits);
}

function bytesOfIpv4(text: string): number[] {
  return text.split(".").map(Number);
}

function bytesOfIpv6(text: string): number[] {
  // As the URL standard writes an address: hexadecimal, and shortened.
  const { hostname } = new URL(`http://[${text}]`);
  const [before = "", after] = hostname.slice(1, -1).split("::");
  const groups = (part: string) => part === "" ? [] : part.split(":");
  const [head, tail] = [groups(before), groups(after ?? "")];
  const zeros = Array<string>(8 - head.length - tail.length).fill("0");
  return [...head, ...zeros, ...tail].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
