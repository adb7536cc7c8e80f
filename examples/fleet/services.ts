/** The services, and what they exchange. */
import type { VmConfig } from "@chv/cloud-hypervisor";
import type { SendOutcome } from "@chv/cloud-hypervisor/workflows";
import type { Context, ObjectContext } from "@restatedev/restate-sdk";

/** One life of a VM on one host. A move begins the next run on another host. */
export interface Run {
  readonly vm: string;
  readonly run: number;
}

/** The host of a VM, and the number of its run there. */
export interface Place {
  readonly host: string;
  readonly run: number;
}

type Send = Run & { readonly url: string; readonly since: number };

/** `host-<id>`: the steps of a host. Each may be asked twice. */
export interface Host {
  boot(ctx: Context, step: Run & { config: VmConfig }): Promise<void>;
  /** Resolves to the URL on which the run waits for its VM. */
  receive(ctx: Context, step: Run): Promise<string>;
  /** The place in the events after which a migration is the one to send. */
  mark(ctx: Context, step: Run): Promise<number>;
  send(ctx: Context, step: Send): Promise<SendOutcome>;
  arrived(ctx: Context, step: Run): Promise<boolean>;
  end(ctx: Context, step: Run): Promise<void>;
}

/** `scheduler`, with the key `all`: the room of the hosts. */
export interface Scheduler {
  /** Adds a host, gives it more room, or opens or closes it. */
  change(
    ctx: ObjectContext,
    change: { id: string; room?: number; open?: boolean },
  ): Promise<void>;
  /** Takes a place on the open host with the most room. */
  take(ctx: ObjectContext, not: string): Promise<string>;
}

/** `vm`, keyed by name: one thing at a time for each VM. */
export interface Vm {
  create(ctx: ObjectContext, config: VmConfig): Promise<Place>;
  /** Moves the VM to another host. */
  migrate(ctx: ObjectContext): Promise<Place>;
  /** Boots the VM anew on another host. Its host must be switched off. */
  heal(ctx: ObjectContext, host: string): Promise<Place>;
  remove(ctx: ObjectContext): Promise<void>;
}

/** `drain`: moves the VMs of a host, or boots them elsewhere if it is lost. */
export interface Drain {
  run(ctx: Context, order: { host: string; lost?: boolean }): Promise<void>;
}
