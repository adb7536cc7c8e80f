/** Removes the sockets of a VM after the end of its VMM. */
import { lstatSync, readFileSync, unlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import type { VmConfig } from "../generated/types.gen.ts";
import {
  addBlockingSockets,
  consoleSocketsOf,
  deviceSocketsOf,
  isSocket,
  socketsOf,
} from "../vmm/vm_sockets.ts";

/**
 * SIGKILL and a crash leave the sockets of a VM, and the next VM with these
 * paths does not boot. A socket that existed before the VMM could create it
 * belongs to somebody else, and stays.
 */
export class SocketCleaner {
  /** The VMM resolves its paths in the directory in which it was started. */
  readonly #cwd: string;
  readonly #created: Set<string>;
  /** Called with the sockets that the VMM may create, before it does. */
  readonly #onExpect: (sockets: Iterable<string>) => void;
  #config: VmConfig = {};

  constructor(
    { cwd = process.cwd(), sockets = [], onExpect = () => {} }: {
      readonly cwd?: string;
      /** Sockets that the VMM may have created already. */
      readonly sockets?: readonly string[];
      readonly onExpect?: (sockets: Iterable<string>) => void;
    } = {},
  ) {
    this.#cwd = cwd;
    this.#created = new Set(sockets);
    this.#onExpect = onExpect;
  }

  /** Prepares for the flags of the VMM's command line. */
  expectFlags(args: readonly string[]): void {
    for (const [index, arg] of args.entries()) {
      const [flag = "", inline] = arg.split(/=(.*)/s);
      if (flag !== "--vsock" && flag !== "--serial") continue;
      const value = inline ?? args[index + 1] ?? "";
      const [, path] = /(?:^|,)socket=("[^"]*"|[^,]*)/.exec(value) ?? [];
      if (path) this.#expect([path.replaceAll('"', "")]);
    }
  }

  /** Prepares for a call, before it is sent. */
  expectCall(operation: string, body: unknown): void {
    this.#expect(this.#socketsOf(operation, body));
  }

  /** Learns of the VM that a migration has brought. */
  adopt(config: VmConfig): void {
    for (const path of this.#absolute(socketsOf(config))) {
      if (isSocket(path)) this.#created.add(path);
    }
    this.#onExpect(this.#created);
  }

  /** Names the sockets of others in the error of a call. */
  explain(error: unknown, operation: string, body: unknown): void {
    const sockets = this.#absolute(this.#socketsOf(operation, body));
    const others = sockets.filter((path) => !this.#created.has(path));
    addBlockingSockets(error, others);
  }

  /** Removes the sockets; synchronous, for the end of a script. */
  remove(): void {
    for (const path of this.#created) {
      try {
        if (isSocket(path)) unlinkSync(path);
      } catch {
        // It is gone, or the script may not remove it.
      }
    }
    this.#created.clear();
  }

  #socketsOf(operation: string, body: unknown): string[] {
    switch (operation) {
      case "vm.create":
        this.#config = body as VmConfig;
        return consoleSocketsOf(this.#config);
      case "vm.boot":
      case "vm.reboot":
        return socketsOf(this.#config);
      case "vm.restore":
        this.#config = snapshotConfigOf(body);
        return socketsOf(this.#config);
      case "vm.addVsock":
        return deviceSocketsOf({
          vsock: body as { socket: string; cid: number },
        });
      case "vm.addNet":
        return deviceSocketsOf({
          net: [body as NonNullable<VmConfig["net"]>[0]],
        });
      case "vm.receiveMigration": {
        const { receiver_url } = body as { receiver_url: string };
        const [, path] = /^unix:(.+)$/.exec(receiver_url) ?? [];
        return path ? [path] : [];
      }
      default:
        return [];
    }
  }

  #expect(paths: readonly string[]): void {
    for (const path of this.#absolute(paths)) {
      if (lstatSync(path, { throwIfNoEntry: false }) === undefined) {
        this.#created.add(path);
      }
    }
    if (paths.length > 0) this.#onExpect(this.#created);
  }

  #absolute(paths: readonly string[]): string[] {
    return paths.map((path) => resolve(this.#cwd, path));
  }
}

/** The configuration of a snapshot; empty where it cannot be read. */
function snapshotConfigOf(body: unknown): VmConfig {
  try {
    const { source_url } = body as { source_url: string };
    const directory = source_url.replace(/^file:\/\//, "");
    return JSON.parse(readFileSync(join(directory, "config.json"), "utf8"));
  } catch {
    return {};
  }
}
