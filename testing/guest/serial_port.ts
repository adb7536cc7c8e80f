/** A serial port with one client, and output that waits for it. */
import type { Readable, Writable } from "node:stream";

/** Options of a serial port. */
export interface SerialPortOptions {
  /** Undefined where the guest reads nothing. */
  readonly onLine: ((line: string) => void) | undefined;
  /** False while the VM is paused. */
  readonly isRunning: () => boolean;
  /** True if output waits for the first client. */
  readonly keepsOutput: boolean;
}

export class SerialPort {
  readonly #options: SerialPortOptions;
  #client: Writable | undefined;
  /** Output for the next client. */
  #waiting = "";
  #line = "";
  /** Input that came while the VM was paused. */
  #input = "";

  constructor(options: SerialPortOptions) {
    this.#options = options;
  }

  /** Writes as the guest does: to the client, or for the next one. */
  print(text: string): void {
    const output = text.replaceAll(/\r?\n/g, "\r\n");
    if (this.#client?.writable) this.#client.write(output);
    else if (this.#options.keepsOutput) {
      this.#waiting = (this.#waiting + output).slice(-MAX_WAITING);
    }
  }

  /** A new client takes the port over, and gets what has waited. */
  attach(input: Readable, output: Writable): void {
    this.#client?.end();
    this.#client = output;
    const decoder = new TextDecoder();
    output.write(this.#waiting);
    this.#waiting = "";
    input.on("data", (chunk: Uint8Array) => {
      this.#input += decoder.decode(chunk, { stream: true });
      this.resume();
    });
    const leave = (): void => {
      output.end();
      if (this.#client === output) this.#client = undefined;
    };
    input.once("end", leave);
    input.once("close", leave);
    input.resume();
  }

  /** Reads the input that has waited, if the VM runs. */
  resume(): void {
    const { onLine, isRunning } = this.#options;
    if (!isRunning()) return;
    const input = this.#input;
    this.#input = "";
    if (onLine === undefined) return;
    for (const character of input) {
      if (character !== "\r" && character !== "\n") {
        this.#line += character;
        this.print(character);
        continue;
      }
      this.print("\n");
      const line = this.#line;
      this.#line = "";
      onLine(line);
    }
  }

  /** The VM ends: nothing waits for the next one. */
  reset(): void {
    this.#client = undefined;
    this.#waiting = "";
    this.#line = "";
    this.#input = "";
  }
}

const MAX_WAITING = 1 << 20;
