/** The path without "." and doubled slashes, but with "..". */
export function normalizePath(path: string): string {
  return path.replaceAll(/\/(?:\.?(?=\/|$)\/?)+/g, "/").replace(/^\.\//, "");
}
