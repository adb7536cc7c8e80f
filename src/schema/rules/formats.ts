/** Texts with a form of their own, which the VMM parses as it reads them. */
import { isIpv4, isIpv6 } from "../../requests/ip_address.ts";
import type { NetConfigInfo } from "../../generated/types.gen.ts";
import { type Rule, type Violation, violation } from "./rule.ts";

export function isMac(text: string): boolean {
  return /^[\da-fA-F]{2}(:[\da-fA-F]{2}){5}$/.test(text);
}

export function isIp(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

/** What a network device's addresses have to look like. */
export const addresses: readonly Rule<NetConfigInfo>[] = [
  form("mac", isMac, "six bytes in hexadecimal, with colons between them"),
  form("host_mac", isMac, "six bytes in hexadecimal, with colons between them"),
  form("ip", isIp, "an IP address"),
  form("mask", isIp, "an IP address"),
];

/** Where a snapshot or a core dump goes to or comes from. */
export function* urlViolations(
  field: string,
  url: string,
): Generator<Violation> {
  if (url.startsWith("file://")) return;
  yield violation(field, `must begin with file://, not ${JSON.stringify(url)}`);
}

function form(
  field: "mac" | "host_mac" | "ip" | "mask",
  fits: (text: string) => boolean,
  words: string,
): Rule<NetConfigInfo> {
  return [
    ({ [field]: text }) => text !== undefined && !fits(text),
    ({ [field]: text }) => `must be ${words}, not ${JSON.stringify(text)}`,
    field,
  ];
}
