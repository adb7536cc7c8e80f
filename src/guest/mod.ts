/**
 * Reaching the guest: connections by vsock, consoles, readiness, and the seed
 * image of cloud-init.
 *
 * docs/guest.md says which way fits which guest, and docs/permissions.md what
 * each function needs in Deno.
 *
 * @module
 */
export {
  GuestError,
  type GuestErrorCode,
  type GuestErrorContext,
} from "../errors/guest_error.ts";
export type { VsockConnection } from "./vsock/connection.ts";
export { dialVsock, type DialVsockOptions } from "./vsock/dial.ts";
export {
  type AcceptOptions,
  listenVsock,
  type ListenVsockOptions,
  type VsockListener,
} from "./vsock/listen.ts";
export type { VsockTarget } from "./vsock/target.ts";
export type {
  AttachOptions,
  OutputListener,
  TerminalInput,
  TerminalOutput,
} from "./console/attach.ts";
export type { ConsoleOptions, GuestConsole } from "./console/console.ts";
export {
  type ConsoleLog,
  logConsole,
  type LogConsoleOptions,
} from "./console/log.ts";
export { openConsole, type OpenConsoleOptions } from "./console/open.ts";
export type { RunOptions } from "./console/run.ts";
export type { ConsoleDevice, ConsoleTarget } from "./console/target.ts";
export type { ConsoleMatch, ConsoleWaitOptions } from "./console/wait_for.ts";
export {
  guestCredentials,
  type GuestCredentialsOptions,
} from "./ready/credentials.ts";
export {
  waitForReady,
  type WaitForReadyOptions,
} from "./ready/wait_for_ready.ts";
export { type SeedFiles, seedImage } from "./seed/seed_image.ts";
export { sshCommand, type SshCommandOptions } from "./ssh/ssh_command.ts";
