/** Answers without end, as fast as they are taken: the client has to leave. */
import { type Case, DEVICE } from "./case.ts";
import { reply } from "../support/server.ts";

const MB = 1 << 20;
const OK = "HTTP/1.1 200 OK\r\n";
const ANSWER = reply(200, JSON.stringify(DEVICE));
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

/** A body may have 64 MB; some more is in the buffers on its way. */
const BODY = 80 * MB;
const HEAD = 8 * MB;

/** A parser does not keep skipped bytes: only the deadline ends the call. */
const SKIPS = "it skips them, and keeps none";
const UNCODED = "its error has no code for it";

export const endless: readonly Case[] = [
  pours("a body without a length", `${OK}\r\n`, spaces(), BODY),
  pours("a body as long as 2^50", length(2 ** 50), spaces(), BODY),
  pours("a body in chunks", CHUNKED, `10000\r\n${spaces()}\r\n`, BODY),
  pours("the body of a refusal", "HTTP/1.1 500 No\r\n\r\n", spaces(), BODY),
  pours("headers", OK, "X: y\r\n".repeat(10_000), HEAD),
  pours("a header", `${OK}X: `, "y".repeat(65_536), HEAD, {
    bun: ["closed", UNCODED],
  }),
  pours("the name of a header", OK, "y".repeat(65_536), HEAD, {
    bun: ["closed", UNCODED],
  }),
  pours("a reason", "HTTP/1.1 200 ", "y".repeat(65_536), HEAD, {
    bun: ["closed", UNCODED],
  }),
  pours("what is no answer", "", "y".repeat(65_536), HEAD),
  pours("line breaks", "", "\r\n".repeat(30_000), HEAD, {
    node: ["deadline", SKIPS],
  }),
  pours("the size of a chunk", CHUNKED, "0".repeat(65_536), HEAD, {
    bun: ["closed", UNCODED],
    deno: ["deadline", SKIPS],
    node: ["deadline", SKIPS],
  }),
  pours("extensions of a chunk", `${CHUNKED}1;`, "x".repeat(65_536), HEAD, {
    bun: ["deadline", SKIPS],
    deno: ["closed", UNCODED],
  }),
  pours("trailers", `${CHUNKED}0\r\n`, "X: y\r\n".repeat(10_000), HEAD, {
    bun: ["deadline", SKIPS],
    deno: ["closed", UNCODED],
  }),
  {
    ...pours("more after an answer", ANSWER, spaces(), HEAD, {
      node: ["not_http", "llhttp takes it for an answer that is none"],
    }),
    outcome: "right",
  },
];

function pours(
  what: string,
  start: string,
  more: string,
  taken: number,
  but?: Case["but"],
): Case {
  return {
    name: `${what} without end`,
    script: {
      request(socket) {
        const pour = (): void => {
          while (!socket.destroyed && socket.write(more));
        };
        socket.on("drain", pour).write(start);
        pour();
      },
    },
    outcome: "not_http",
    ...(but && { but }),
    taken,
  };
}

function spaces(): string {
  return " ".repeat(65_536);
}

function length(bytes: number): string {
  return `${OK}Content-Length: ${bytes}\r\n\r\n`;
}
