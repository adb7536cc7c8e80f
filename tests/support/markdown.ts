/** The fenced blocks of Markdown. */

export interface Block {
  /** The text after the fence, such as `ts`. */
  readonly language: string;
  readonly text: string;
}

export function blocks(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w*)\n([^]*?)^```$/gm)]
    .map(([, language, text]) => ({ language: language!, text: text! }));
}
