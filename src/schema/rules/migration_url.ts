/** URLs of migrations: `tcp:<host>:<port>` and `unix:<path>`. */

/** The end of the VMM's error chain for a URL; `prefix` for another kind of URL. */
export function addressProblem(
  url: string,
): "prefix" | readonly string[] | undefined {
  if (url.startsWith("unix:")) {
    return url === "unix:" ? "prefix" : undefined;
  }
  if (!url.startsWith("tcp:")) return "prefix";
  const address = splitAddress(url.slice("tcp:".length));
  if (typeof address === "string") return [address];
  const { host, port } = address;
  if (host === "") return ["Host must not be empty"];
  if (port === "") return ["Port must not be empty"];
  if (/^\+?\d+$/.test(port) && Number(port) <= 0xffff) return undefined;
  return [
    `Invalid TCP port: ${port}`,
    /^\+?\d+$/.test(port)
      ? "number too large to fit in target type"
      : "invalid digit found in string",
  ];
}

/** The two parts of an address, or the VMM's error message. */
export function splitAddress(
  address: string,
): { host: string; port: string } | string {
  if (!address.startsWith("[")) {
    const colon = address.lastIndexOf(":");
    if (colon < 0) return "Missing TCP port";
    return { host: address.slice(0, colon), port: address.slice(colon + 1) };
  }
  const end = address.indexOf("]");
  if (end < 0) return "Missing closing ']' for bracketed IPv6 address";
  if (address[end + 1] !== ":") {
    return "Missing port separator after bracketed host";
  }
  return { host: address.slice(1, end), port: address.slice(end + 2) };
}
