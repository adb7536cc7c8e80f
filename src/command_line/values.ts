/** Single values of options, in the program's own forms. */
import { isIpv4, isIpv6 } from "../requests/ip_address.ts";
import { type Reader, reader } from "./reader.ts";
import { unquote } from "./quotes.ts";

/** `on`, `true`, `off` or `false`, in any case. */
export const toggle: Reader<boolean> = reader(
  "on or off",
  (value) => TOGGLES[value.toLowerCase()],
);

const TOGGLES: Readonly<Record<string, boolean>> = {
  on: true,
  true: true,
  off: false,
  false: false,
};

export const u8: Reader<number> = unsigned(8);
export const u16: Reader<number> = unsigned(16);
export const u32: Reader<number> = unsigned(32);

/** A count that fits a `number`, though the program takes 64 bits. */
export const count: Reader<number> = unsigned(53);

/** A number of 64 bits. */
export const u64: Reader<number | bigint> = reader(
  "a number of 64 bits",
  (value) => {
    const exact = exactUnsigned(unquote(value), 64);
    return exact === undefined ? undefined : shortest(exact);
  },
);

export const i32: Reader<number> = reader("a number of 32 bits", (value) => {
  const match = /^([+-]?)(\d+)$/.exec(unquote(value));
  if (match === null) return undefined;
  const exact = BigInt(match[1] === "-" ? `-${match[2]}` : match[2]!);
  return exact === BigInt.asIntN(32, exact) ? Number(exact) : undefined;
});

/** Bytes, with `K`, `M` or `G` for a power of 1024. */
export const byteSize: Reader<number | bigint> = reader(
  "bytes such as 1073741824, 512M or 1G",
  (value) => {
    const trimmed = unquote(value).trim();
    const shift = SHIFTS[trimmed.at(-1) ?? ""] ?? 0n;
    const exact = exactUnsigned(trimmed.replace(/[KMG]+$/, ""), 64);
    if (exact === undefined) return undefined;
    return shortest(BigInt.asUintN(64, exact << shift));
  },
);

const SHIFTS: Readonly<Record<string, bigint>> = { K: 10n, M: 20n, G: 30n };

/** One of these spellings, in any case. */
export function choice<const T extends string>(
  spellings: Readonly<Record<string, T>>,
): Reader<T> {
  return reader(
    oneOf(spellings),
    (value) => exactly(spellings, unquote(value).toLowerCase()),
  );
}

/** One of these spellings, letter for letter. */
export function exactChoice<const T extends string>(
  spellings: Readonly<Record<string, T>>,
): Reader<T> {
  return reader(
    oneOf(spellings),
    (value) => exactly(spellings, unquote(value)),
  );
}

function oneOf(spellings: object): string {
  const names = Object.keys(spellings);
  const last = names.at(-1)!;
  return names.length === 1
    ? last
    : `${names.slice(0, -1).join(", ")} or ${last}`;
}

function exactly<T>(
  spellings: Readonly<Record<string, T>>,
  value: string,
): T | undefined {
  return Object.hasOwn(spellings, value) ? spellings[value] : undefined;
}

/** A MAC address, in lower case as the VMM returns it. */
export const macAddress: Reader<string> = reader("a MAC address", (value) => {
  const address = unquote(value);
  const fits = /^[\da-f]{2}(:[\da-f]{2}){5}$/i.test(address);
  return fits ? address.toLowerCase() : undefined;
});

export const ipAddress: Reader<string> = reader("an IP address", (value) => {
  const address = unquote(value);
  return isIpv4(address) || isIpv6(address) ? address : undefined;
});

/** A number as Rust reads it: digits, perhaps after a plus sign. */
export function exactUnsigned(value: string, bits: number): bigint | undefined {
  const digits = /^\+?(\d+)$/.exec(value)?.[1];
  if (digits === undefined) return undefined;
  const exact = BigInt(digits);
  return exact === BigInt.asUintN(bits, exact) ? exact : undefined;
}

function unsigned(bits: number): Reader<number> {
  return reader(`a number of ${bits} bits`, (value) => {
    const exact = exactUnsigned(unquote(value), bits);
    return exact === undefined ? undefined : Number(exact);
  });
}

function shortest(exact: bigint): number | bigint {
  return exact <= Number.MAX_SAFE_INTEGER ? Number(exact) : exact;
}
