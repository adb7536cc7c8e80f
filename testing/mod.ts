/**
 * A fake VMM for tests that need no KVM.
 *
 * @module
 */
export {
  type ChosenProgram,
  fakeCommand,
  type FakeProgram,
  fakeProgram,
  fakeUnlessInstalled,
} from "./fake_program.ts";
export { type Clock, FakeClock } from "./machine/clock.ts";
export type { Traffic } from "./machine/counters.ts";
export type { EmittedEvent } from "./machine/event_monitor.ts";
export type { Exit, Signal } from "./machine/exit.ts";
export type { Fault, FaultRule } from "./api/fault_rule.ts";
export type { GuestConnection } from "./guest/connection.ts";
export type { FakeGuest, GuestAction } from "./guest/fake_guest.ts";
export type { VsockPorts } from "./guest/vsock_device.ts";
export type { GuestScript } from "./machine/guest_script.ts";
export type { Files } from "./machine/host.ts";
export type { FakeProgramOptions } from "./program_environment.ts";
export type { ReleaseName } from "./release_type.ts";
export { type FakeVmmOptions, StartError } from "./options.ts";
export type { LoggedRequest } from "./api/service.ts";
export { FakeVmm } from "./fake_vmm.ts";
