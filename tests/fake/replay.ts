/** Sends recorded requests again, byte for byte, and reads what comes back. */
import {
  mkdirSync,
  mkdtempSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { Buffer } from "node:buffer";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { guestElf } from "../../examples/guest.ts";
import { parse } from "../../src/json/json.ts";
import type {
  RecordedRequest,
  RecordedResponse,
} from "../support/recordings.ts";

/** A directory that its user removes. */
export interface Workspace {
  readonly path: string;
  remove(): void;
}

/** A scenario's own directory, with what its requests name. */
export function workspace(): Workspace {
  const path = mkdtempSync(join(tmpdir(), "replay-"));
  writeFileSync(join(path, "guest.elf"), guestElf("K"));
  writeFileSync(join(path, "notakernel"), "this is not a kernel\n");
  for (const disk of ["disk.img", "disk2.img"]) {
    writeFileSync(join(path, disk), "");
    truncateSync(join(path, disk), 16 << 20);
  }
  mkdirSync(join(path, "snap"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Sends a request on a connection of its own. */
export async function exchange(
  socketPath: string,
  request: RecordedRequest,
  tmp: string,
): Promise<RecordedResponse> {
  const bytes = bytesOf(request).replaceAll("$TMP", tmp);
  return await new Promise((resolve) => {
    const socket = connect(socketPath);
    let text = "";
    socket.setEncoding("latin1");
    socket.on("connect", () => {
      socket.write(Buffer.from(fixLength(bytes), "utf8"));
    });
    socket.on("data", (chunk) => {
      text += chunk;
      const answer = parseAnswer(text);
      if (answer === undefined) return;
      socket.destroy();
      resolve(answer);
    });
    socket.on("error", (error: Error & { code?: string }) => {
      resolve({ closed: String(error.code) });
    });
    socket.on("close", () => resolve({ closed: "EOF" }));
  });
}

/**
 * Sends bytes on one connection, and gives what comes back until there are so
 * many answers, or the connection ends.
 */
export function raw(
  socketPath: string,
  bytes: string,
  answers = 1,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath, () => socket.write(bytes));
    let text = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      text += chunk;
      if (count(text) < answers) return;
      socket.destroy();
    });
    // Bytes that nobody read make a reset of the end.
    socket.on("error", (error) => text === "" ? reject(error) : undefined);
    socket.on("close", () => resolve(text));
  });
}

/** The number of whole responses in a text. */
function count(text: string): number {
  let answers = 0;
  for (let at = 0; at < text.length; answers++) {
    const end = text.indexOf("\r\n\r\n", at);
    if (end < 0) break;
    const head = text.slice(at, end);
    at = end + 4 + Number(/Content-Length: (\d+)/.exec(head)?.[1] ?? 0);
    if (at > text.length) break;
  }
  return answers;
}

function bytesOf(request: RecordedRequest): string {
  if (request.raw !== undefined) return request.raw;
  const { method, path } = request;
  const body = request.rawBody ??
    (request.body === undefined ? undefined : spaced(request.body));
  const head = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n`;
  if (body === undefined) return `${head}\r\n`;
  return `${head}Content-Type: application/json\r\n` +
    `Content-Length: ${LENGTH}\r\n\r\n${body}`;
}

const LENGTH = "$LENGTH";

/** The length counts what `$TMP` stands for. */
function fixLength(bytes: string): string {
  const body = bytes.slice(bytes.indexOf("\r\n\r\n") + 4);
  return bytes.replace(LENGTH, String(Buffer.byteLength(body)));
}

/** JSON as the recorder wrote it: the columns of error messages count it. */
export function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).map(([key, item]) =>
      `${JSON.stringify(key)}: ${spaced(item)}`
    );
    return `{${members.join(", ")}}`;
  }
  return typeof value === "bigint" ? String(value) : JSON.stringify(value);
}

/** The answer in what has come; undefined while it is not whole. */
function parseAnswer(text: string): RecordedResponse | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const status = Number(first.split(" ")[1]);
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [name = "", value = ""] = line.split(": ");
    if (name !== "Server" && name !== "Connection") headers[name] = value;
  }
  const length = Number(headers["Content-Length"] ?? 0);
  const raw = text.slice(end + 4);
  if (raw.length < length) return undefined;
  const body = Buffer.from(raw.slice(0, length), "latin1").toString("utf8");
  if (body === "") return { status, headers, body: null };
  try {
    return { status, headers, body: parse(body) };
  } catch {
    return { status, headers, text: body };
  }
}
