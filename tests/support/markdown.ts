/** What is fenced in Markdown. */

export interface Block {
  /** What follows the fence, as `ts`. */
  readonly language: string;
  readonly text: string;
}

export function blocks(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w*)\n([^]*?)^```$/gm)]
    .map(([, language, text]) => ({ language: language!, text: text! }));
}
