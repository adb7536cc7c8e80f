/** Strings that the VMM parses while it reads a request. */
import { isIpv4, isIpv6 } from "../../requests/ip_address.ts";
import type { NetConfigInfo } from "../../generated/types.gen.ts";
import { show } from "../show.ts";
import { pathProblems } from "./paths.ts";
import { type Rule, type Violation, violation } from "./rule.ts";

export function isMac(text: string): boolean {
  return /^[\da-fA-F]{2}(:[\da-fA-F]{2}){5}$/.test(text);
}

export function isIp(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

const MAC = 'a MAC address such as "02:00:00:00:00:01"';

/** The addresses of a network device. */
export const addresses: readonly Rule<NetConfigInfo>[] = [
  format("mac", isMac, MAC),
  format("host_mac", isMac, MAC),
  format("ip", isIp, 'an IP address such as "192.168.0.1"'),
  format("mask", isIp, 'a netmask such as "255.255.255.0"'),
];

/** The URL of a snapshot's directory or of a core dump's file. */
export function* urlViolations(
  field: string,
  url: string,
): Generator<Violation> {
  if (url.startsWith("file://")) {
    yield* pathProblems(field, url.slice("file://".length), "file");
    return;
  }
  const message = `must begin with "file://", not ${show(url)}`;
  yield violation(field, message);
}

function format(
  field: "mac" | "host_mac" | "ip" | "mask",
  matches: (text: string) => boolean,
  expected: string,
): Rule<NetConfigInfo> {
  return {
    field,
    when: ({ [field]: text }) => text !== undefined && !matches(text),
    message: ({ [field]: text = "" }) =>
      `must be ${expected}, not ${show(text)}`,
  };
}
