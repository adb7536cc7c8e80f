/** The connection breaks before there is an answer. */
import { reply } from "../support/server.ts";
import { type Case, DEVICE, says } from "./case.ts";
import type { Client } from "../../mod.ts";

const ANSWER = reply(200, JSON.stringify(DEVICE));
const TOO_LARGE = reply(
  400,
  '{ "error": "Request payload with size 1048576 is larger than the limit of ' +
    '51200 allowed by server.\nAll previous unanswered requests will be dropped." }',
);

/** A body of a mebibyte, which does not fit in a socket's buffer. */
const large = ({ vm }: Client, options: object): Promise<unknown> =>
  vm.addDisk({ path: "/".padEnd(1 << 20, "a") }, options);

const KEPT = {
  deno: "hyper forgets a connection that is answered while it still writes",
};

export const connections: readonly Case[] = [
  {
    name: "ends when it is made",
    early: true,
    script: { connected: (socket) => socket.end() },
    outcome: "closed",
  },
  {
    name: "is reset when it is made",
    script: { connected: (socket) => socket.destroy() },
    outcome: "closed",
    sent: 0,
  },
  {
    name: "ends after the head of the request",
    early: true,
    script: { head: (socket) => socket.end() },
    outcome: "closed",
  },
  {
    name: "is reset after the head of a large request",
    script: { head: (socket) => socket.destroy() },
    call: large,
    outcome: "closed",
    sent: 0,
  },
  {
    name: "is reset after the request",
    script: { request: (socket) => socket.destroy() },
    outcome: "closed",
  },
  {
    name: "ends after the request",
    script: { request: (socket) => socket.end() },
    outcome: "closed",
  },
  {
    name: "takes nothing of a large request",
    script: { head: (socket) => socket.pause() },
    call: large,
    outcome: "deadline",
    sent: 0,
  },
  {
    name: "takes a large request, and says nothing",
    script: {},
    call: large,
    outcome: "deadline",
  },
  {
    name: "takes a large request, and answers",
    script: says(ANSWER, "keep"),
    call: large,
    outcome: "right",
  },
  {
    name: "refuses a large request by its head, takes it and stays",
    kept: KEPT,
    early: true,
    script: { head: (socket) => socket.write(TOO_LARGE) },
    call: large,
    outcome: "too_large",
  },
  {
    name: "refuses a large request by its head, and takes no more",
    kept: KEPT,
    early: true,
    script: { head: (socket) => socket.pause().write(TOO_LARGE) },
    call: large,
    outcome: "too_large",
    sent: 0,
  },
  {
    name: "refuses a large request by its head, and ends",
    early: true,
    script: { head: (socket) => socket.end(TOO_LARGE) },
    call: large,
    outcome: "too_large",
  },
  {
    name: "answers by the head, before the body",
    early: true,
    script: { head: (socket) => socket.write(ANSWER) },
    outcome: "right",
  },
  {
    name: "answers before the request",
    early: true,
    script: { connected: (socket) => socket.write(ANSWER) },
    outcome: "right",
  },
  {
    name: "says something else before the request",
    early: true,
    script: {
      connected: (socket) => socket.write("SSH-2.0-OpenSSH_9.2p1 Debian\r\n"),
    },
    outcome: "not_http",
  },
];
