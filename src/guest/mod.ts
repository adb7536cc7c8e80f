/**
 * Reaching the guest: connections by vsock, consoles, readiness, and the seed
 * image of cloud-init.
 *
 * `openConsole` works with every guest that writes to a serial port.
 * `dialVsock` and `listenVsock` need a program in the guest, `waitForReady` and
 * `sshCommand` need systemd. In Deno, a function needs `--allow-read`,
 * `--allow-write` and `--allow-net=unix:` of its socket. docs/guest.md and
 * docs/permissions.md of the repository have the details.
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
