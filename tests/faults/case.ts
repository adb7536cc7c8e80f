/** One way in which an answer goes wrong, or only looks as if it did. */
import type { Socket } from "node:net";
import type { CallOptions, Client } from "../../mod.ts";

/** Does what a broken server does, with the first connection. */
export interface Script {
  /** As soon as there is a connection. */
  connected?(socket: Socket): void;
  /** When the head of the request is there, with or without its body. */
  head?(socket: Socket): void;
  /** When the request is whole. */
  request?(socket: Socket): void;
}

/** `"right"`, or the code of the error; `"reason"` is the signal's own. */
export type Outcome = string;

export type RuntimeName = "deno" | "bun" | "node";

export interface Case {
  readonly name: string;
  readonly script: Script;
  readonly outcome: Outcome;
  /** The outcome of a runtime that differs, and the reason. */
  readonly but?: {
    readonly [name in RuntimeName]?: readonly [Outcome, reason: string];
  };
  /** Adds a disk, unless told. */
  readonly call?: (client: Client, options: CallOptions) => Promise<unknown>;
  /** The value of a call that succeeds. Default: the disk. */
  readonly value?: unknown;
  /** In place of `value`, where that is too much to compare. */
  readonly check?: (value: unknown) => boolean;
  /** The largest number of whole requests to the server. Default: 1. */
  readonly sent?: 0 | 1;
  /** They may be fewer: the answer or the deadline comes before the request. */
  readonly early?: true;
  /** The runtimes that keep the connection until the server ends it, and why. */
  readonly kept?: { readonly [name in RuntimeName]?: string };
  /** The largest number of bytes that the client takes before its deadline. */
  readonly taken?: number;
}

/** The disk in a good response. */
export const DEVICE = { id: "disk0", bdf: "0000:00:06.0" };

/** A script that writes `bytes`, then ends the connection or keeps it. */
export function says(
  bytes: string | Uint8Array,
  then: "end" | "keep" | "destroy" = "end",
): Script {
  return {
    request(socket) {
      if (then === "keep") socket.write(bytes);
      else if (then === "end") socket.end(bytes);
      else socket.write(bytes, () => socket.destroy());
    },
  };
}
