/** Strings that the VMM reads as IP addresses. */

/** True for four decimal numbers without leading zeros. */
export function isIpv4(text: string): boolean {
  return IPV4.test(text);
}

export function isIpv6(text: string): boolean {
  return IPV6.test(text) && URL.canParse(`http://[${text}]`);
}

/**
 * True for a host that the C library reads as an address, without a lookup:
 * also `127.1`, `0x7f.1` and a single number. IPv6 has no brackets here.
 */
export function isNumericHost(host: string): boolean {
  if (isIpv6(host)) return true;
  const parts = host.split(".");
  if (parts.length > 4 || !parts.every((part) => NUMBER.test(part))) {
    return false;
  }
  const numbers = parts.map((part) =>
    Number(/^0\d/.test(part) ? `0o${part}` : part)
  );
  const last = numbers.pop()!;
  return numbers.every((number) => number < 256) &&
    last < 256 ** (4 - numbers.length);
}

const IPV4 = /^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$)|$)){4}$/;
const IPV6 = /^[\da-f:.]+$/i;
/** Decimal, octal or hexadecimal. */
const NUMBER = /^(0[0-7]*|[1-9]\d*|0x[\da-f]+)$/i;
