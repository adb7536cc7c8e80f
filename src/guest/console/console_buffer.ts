/** The output of a console that the script has not read yet, and the end. */
import { KEPT_CHARACTERS } from "./transcript.ts";

/** The end of a console. */
export interface ConsoleEnd {
  /** The error with which a wait rejects. */
  readonly reason: unknown;
  /** The lines end; otherwise they reject with the reason. */
  readonly isDone: boolean;
}

export class ConsoleBuffer {
  #text = "";
  /** The number of characters of the text that were read. */
  #cursor = 0;
  #lost = 0;
  #end: ConsoleEnd | undefined;
  #change: PromiseWithResolvers<void> = Promise.withResolvers();

  get unread(): string {
    return this.#text.slice(this.#cursor);
  }

  /** The number of characters that were dropped before anybody read them. */
  get lost(): number {
    return this.#lost;
  }

  get end(): ConsoleEnd | undefined {
    return this.#end;
  }

  /** Resolves at the next output, or at the end. */
  get changed(): Promise<void> {
    return this.#change.promise;
  }

  append(text: string): void {
    if (text === "") return;
    this.#text += text;
    if (this.#text.length > KEPT_CHARACTERS + SLACK) {
      const dropped = this.#text.length - KEPT_CHARACTERS;
      this.#lost += Math.max(dropped - this.#cursor, 0);
      this.#text = this.#text.slice(dropped);
      this.#cursor = Math.max(this.#cursor - dropped, 0);
    }
    this.#wake();
  }

  /** Ends the output, once. */
  finish(end: ConsoleEnd): void {
    this.#end ??= end;
    this.#wake();
  }

  /** Counts so many of the unread characters as read. */
  skip(length: number): void {
    this.#cursor += length;
    if (this.#cursor < SLACK && this.#cursor < this.#text.length) return;
    this.#text = this.#text.slice(this.#cursor);
    this.#cursor = 0;
  }

  /** Counts all as read. */
  skipAll(): void {
    this.skip(this.#text.length - this.#cursor);
  }

  /**
   * Takes the next line without its end, or a part of a line that is long; at
   * the end of the output also a line without an end.
   */
  takeLine(): string | undefined {
    const newline = this.#text.indexOf("\n", this.#cursor);
    const length = newline - this.#cursor;
    if (newline >= 0 && length <= MAX_LINE) {
      const line = this.#text.slice(this.#cursor, newline);
      this.skip(length + 1);
      return line.endsWith("\r") ? line.slice(0, -1) : line;
    }
    const rest = this.#text.length - this.#cursor;
    if (rest === 0 || (rest <= MAX_LINE && !this.#end)) return undefined;
    const part = this.#text.slice(this.#cursor, this.#cursor + MAX_LINE);
    this.skip(part.length);
    return part;
  }

  #wake(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}

/** So that the text is not cut at each chunk. */
const SLACK = 1 << 18;
/** Characters of a line that comes in one piece. */
const MAX_LINE = 1 << 16;
