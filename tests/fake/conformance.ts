/** The subjects of the conformance suite: the fake, or a real VMM. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import {
  type Exit,
  FakeVmm,
  type FakeVmmOptions,
  type ReleaseName,
} from "../../testing/mod.ts";
import { releaseNames, releases } from "../../testing/release.ts";
import type { RecordedEvent } from "../support/recordings.ts";
import { BINARY, GIVEN, NO_VMM } from "../support/real_vmm.ts";
import { opens } from "../support/vmms.ts";
import { exchange, type Workspace } from "./replay.ts";

/** A VMM that a scenario has for itself. */
export interface Running {
  readonly socketPath: string;
  /** The fake, if it is one. */
  readonly fake?: FakeVmm;
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
  /** Its exit code; null while it runs, and after a signal. */
  exit(): number | null;
  /** The signal that ended the process. */
  signal(): string | null;
  /** Its events, once there are as many as are waited for. */
  events(count: number): Promise<RecordedEvent[]>;
  end(): Promise<void>;
}

/** Something that VMMs of one release can be started of. */
export interface Subject {
  readonly name: string;
  readonly release: ReleaseName;
  /** The features that `vmm.ping` returns. */
  readonly features: string;
  readonly isReal: boolean;
  /** Values that differ from those of every host, by key; without one: none. */
  readonly own: Readonly<Record<string, string | undefined>>;
  /** An operation that the recorded build has and this one lacks, or reversed. */
  readonly ignored?: string;
  start(space: Workspace, options?: FakeVmmOptions): Promise<Running>;
}

/** The fake, as a release. */
export function fake<Name extends ReleaseName>(
  release: Name,
): Subject & { readonly release: Name } {
  return {
    name: `FakeVmm as ${release}`,
    release,
    features: releases[release].features.join(),
    isReal: false,
    own: {},
    async start({ path }, options = {}) {
      const vmm = await FakeVmm.start({
        ...options,
        release,
        socketPath: join(path, "api.sock"),
      });
      let exit: Exit = { code: null, signal: null };
      const ended = vmm.exited.then((end) => void (exit = end));
      return {
        socketPath: vmm.socketPath,
        fake: vmm,
        ended,
        exit: () => exit.code,
        signal: () => exit.signal,
        events: () => Promise.resolve(vmm.events.map(bare)),
        end: () => vmm.close(),
      };
    },
  };
}

/** The real VMM that `CLOUD_HYPERVISOR` names, or why there is none. */
export async function real(space: Workspace): Promise<Subject | string> {
  if (BINARY === "" || !opens("/dev/kvm")) return NO_VMM;
  const vmm = await launch(BINARY, space);
  try {
    const { body } = await exchange(
      vmm.socketPath,
      { method: "GET", path: "/api/v1/vmm.ping" },
      space.path,
    );
    const { version, features } = body as {
      version: string;
      features: string[];
    };
    const release = releaseNames.find((name) =>
      releases[name].version === version
    );
    if (release === undefined) return `${version} was never recorded`;
    const own = { build_version: "the checkout that it was built in" };
    // Released binaries have no `guest_debug`, and some recorded ones have.
    const isOther = features.join() !== releases[release].features.join();
    return {
      name: `${GIVEN} (${release})`,
      release,
      features: features.join(),
      isReal: true,
      own: isOther ? { ...own, features: undefined, gdb: undefined } : own,
      ...isOther && { ignored: "vm.coredump" },
      start: (space) => launch(BINARY, space),
    };
  } finally {
    await vmm.end();
  }
}

async function launch(program: string, { path }: Workspace): Promise<Running> {
  const socketPath = join(path, "api.sock");
  const monitor = join(path, "events");
  const child = spawn(program, [
    "--api-socket",
    `path=${socketPath}`,
    "--event-monitor",
    `path=${monitor}`,
  ], {
    stdio: "ignore",
    // A backtrace would stand in the messages.
    env: { ...process.env, RUST_BACKTRACE: "0" },
  });
  let exit: { code: number | null; signal: string | null } | undefined;
  const ended = new Promise<void>((resolve) => {
    child.once("exit", (code, signal) => {
      exit = { code, signal };
      resolve();
    });
  });
  const ping = { method: "GET", path: "/api/v1/vmm.ping" };
  await until(async () =>
    (await exchange(socketPath, ping, path)).status === 200
  );
  return {
    socketPath,
    ended,
    exit: () => exit?.code ?? null,
    signal: () => exit?.signal ?? null,
    async events(count) {
      let events: RecordedEvent[] = [];
      await until(() => {
        events = readEvents(monitor);
        return events.length >= count;
      });
      return events;
    },
    async end() {
      if (exit === undefined) child.kill("SIGKILL");
      await ended;
    },
  };
}

function readEvents(path: string): RecordedEvent[] {
  return readFileSync(path, "utf8").split("\n\n").filter((text) => text !== "")
    .map((text) => bare(JSON.parse(text)));
}

function bare({ source, event, properties }: RecordedEvent): RecordedEvent {
  return { source, event, properties };
}

/** Asks again until it is so; a real VMM takes its time. */
async function until(so: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempts = 0; attempts < 300; attempts++) {
    if (await so()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
