/** The last MiB of a text that grows by small pieces. */
export class Transcript {
  readonly #pieces: string[] = [];
  #length = 0;

  get text(): string {
    return this.#pieces.join("").slice(-KEPT_CHARACTERS);
  }

  append(text: string): void {
    this.#length += text.length;
    const last = this.#pieces.at(-1);
    // The VMM writes byte by byte.
    if (last === undefined || last.length > PIECE) this.#pieces.push(text);
    else this.#pieces[this.#pieces.length - 1] = last + text;
    for (;;) {
      const first = this.#pieces[0]?.length ?? 0;
      if (first === 0 || this.#length - first < KEPT_CHARACTERS) return;
      this.#pieces.shift();
      this.#length -= first;
    }
  }
}

/** The output that is kept for `transcript` and for slow readers. */
export const KEPT_CHARACTERS: number = 1 << 20;
const PIECE = 1 << 14;
