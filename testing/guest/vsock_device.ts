/** The host's side of a vsock device, with a scripted guest behind it. */
import { connect, type Socket } from "node:net";
import { callScript } from "./call_script.ts";
import { type GuestConnection, toGuestConnection } from "./connection.ts";

/**
 * The listeners in the guest, by port. A listener answers by
 * `connection.writable`.
 */
export type VsockPorts = Readonly<
  Record<
    number,
    ((connection: GuestConnection) => void | Promise<void>) | undefined
  >
>;

/** The state of the guest. */
export interface VsockDeviceOptions {
  readonly ports: VsockPorts;
  /** False where the guest's driver does not start. */
  readonly hasDriver: boolean;
  /** False while the VM is paused. */
  readonly isRunning: () => boolean;
}

export class VsockDevice {
  readonly #options: VsockDeviceOptions;
  /** Requests that came while the VM was paused. */
  #waiting: (() => void)[] = [];
  #nextPort = 1 << 30;

  constructor(options: VsockDeviceOptions) {
    this.#options = options;
  }

  /** Serves a connection of the host: `CONNECT <port>`, then bytes. */
  attach(socket: Socket): void {
    let bytes = new Uint8Array();
    const onData = (chunk: Uint8Array): void => {
      const joined = new Uint8Array(bytes.length + chunk.length);
      joined.set(bytes);
      joined.set(chunk, bytes.length);
      bytes = joined;
      const end = bytes.indexOf(NEWLINE);
      if (end < 0 && bytes.length < MAX_COMMAND) return;
      socket.off("data", onData);
      socket.pause();
      const command = new TextDecoder().decode(bytes.subarray(0, end));
      const port = /^connect (\d+)\r?$/i.exec(command)?.[1];
      if (end < 0 || port === undefined) return void socket.destroy();
      const rest = bytes.slice(end + 1);
      this.#whenRunning(() => this.#accept(socket, Number(port), rest));
    };
    socket.on("data", onData);
  }

  /** Answers the requests that have waited. */
  resume(): void {
    if (!this.#options.isRunning()) return;
    for (const answer of this.#waiting.splice(0)) answer();
  }

  /** The VM ends. */
  reset(): void {
    this.#waiting = [];
  }

  #whenRunning(answer: () => void): void {
    // A guest without a driver is silent; it does not refuse.
    if (!this.#options.hasDriver) return;
    if (this.#options.isRunning()) answer();
    else this.#waiting.push(answer);
  }

  #accept(socket: Socket, port: number, rest: Uint8Array): void {
    const handler = this.#options.ports[port];
    if (handler === undefined) return void socket.destroy();
    socket.write(`OK ${this.#nextPort++}\n`);
    const call = () => handler(toGuestConnection(socket, rest));
    callScript(`guest.vsock[${port}]`, call, {
      advice: "write to connection.writable",
    }).catch((error) => {
      socket.destroy();
      throw error;
    });
  }
}

/** Connects to the listener on a port of the host. */
export function connectToHost(path: string): Promise<GuestConnection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    socket.on("error", reject);
    socket.once("connect", () => {
      socket.pause();
      resolve(toGuestConnection(socket, new Uint8Array()));
    });
  });
}

const NEWLINE = 10;
const MAX_COMMAND = 32;
