/** Errors of the operating system that mean the same on each runtime. */
import type { ConnectionErrorCode } from "../errors/error_code.ts";

export const systemCodes: { readonly [code: string]: ConnectionErrorCode } = {
  ENOENT: "socket_missing",
  ENOTDIR: "socket_missing",
  ECONNREFUSED: "refused",
  EACCES: "permission_denied",
  EPERM: "permission_denied",
};
