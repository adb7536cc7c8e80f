/** An answer that takes its time: a byte, a piece or a pause at a time. */
import type { Socket } from "node:net";
import { reply } from "../support/server.ts";
import { type Case, DEVICE, type Script } from "./case.ts";

const JSON_TEXT = JSON.stringify(DEVICE);
const ANSWER = reply(200, JSON_TEXT);
const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
  [...JSON_TEXT].map((char) => `1\r\n${char}\r\n`).join("") + "0\r\n\r\n";

export const slowness: readonly Case[] = [
  { name: "a byte at a time", script: drips(ANSWER, 1), outcome: "right" },
  { name: "two at a time", script: drips(ANSWER, 2), outcome: "right" },
  { name: "15 at a time", script: drips(ANSWER, 15), outcome: "right" },
  { name: "16 at a time", script: drips(ANSWER, 16), outcome: "right" },
  { name: "17 at a time", script: drips(ANSWER, 17), outcome: "right" },
  {
    name: "a byte at a time, then an end",
    script: drips(ANSWER, 1, (socket) => socket.end()),
    outcome: "right",
  },
  {
    name: "a byte at a time to the last but one, then an end",
    script: drips(ANSWER.slice(0, -1), 1, (socket) => socket.end()),
    outcome: "closed",
  },
  {
    name: "a refusal, a byte at a time",
    script: drips(reply(404, '["Error from API","VM is not created"]'), 1),
    outcome: "not_created",
  },
  {
    name: "a 204, a byte at a time",
    script: drips(reply(204), 1),
    outcome: "right",
    value: undefined,
  },
  {
    name: "chunks of a byte, a byte at a time",
    script: drips(CHUNKED, 1),
    outcome: "right",
  },
  {
    name: "chunks of a byte, 100 at a time",
    script: drips(CHUNKED, 100),
    outcome: "right",
  },
  {
    name: "a 100, then the answer, a byte at a time",
    script: drips(`HTTP/1.1 100 Continue\r\n\r\n${ANSWER}`, 1),
    outcome: "right",
  },
  ...endless("headers", "HTTP/1.1 200 OK\r\n", "X: y\r\n"),
  ...endless("a header", "HTTP/1.1 200 OK\r\nX: ", "y"),
  ...endless("a body", "HTTP/1.1 200 OK\r\n\r\n", " "),
  ...endless(
    "chunks",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "1\r\n \r\n",
  ),
  ...endless("a status line", "HTTP/1.1 200 ", "O"),
  ...endless("interim answers", "", "HTTP/1.1 102 Processing\r\n\r\n"),
];

/** A drop now and then, without end: the deadline holds all the same. */
function endless(what: string, start: string, drop: string): Case[] {
  return [{
    name: `${what} without end, drop by drop`,
    script: {
      request(socket) {
        socket.write(start);
        const timer = setInterval(() => socket.write(drop), 20);
        socket.on("close", () => clearInterval(timer));
      },
    },
    outcome: "deadline",
  }];
}

/** Writes so many bytes, waits until they are sent, and goes on. */
function drips(
  bytes: string,
  size: number,
  last: (socket: Socket) => void = () => {},
): Script {
  return {
    request(socket) {
      const next = (at: number): void => {
        if (at >= bytes.length) return last(socket);
        socket.write(bytes.slice(at, at + size), () => {
          setImmediate(next, at + size);
        });
      };
      next(0);
    },
  };
}
