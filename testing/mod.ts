/**
 * A fake VMM for tests that need no KVM.
 *
 * @module
 */
export {
  fakeCommand,
  type FakeProgram,
  fakeProgram,
  type FakeProgramOptions,
} from "./command.ts";
export { type Clock, FakeClock } from "./clock.ts";
export type { Traffic } from "./counters.ts";
export type { MonitorEvent } from "./events.ts";
export type { Fault, FaultRule } from "./faults.ts";
export type { GuestScript } from "./guest.ts";
export type { Files } from "./host.ts";
export type { ReleaseName } from "./release.ts";
export { type Exit, type FakeVmmOptions, StartError } from "./options.ts";
export type { LoggedRequest } from "./service.ts";
export { FakeVmm } from "./vmm.ts";
