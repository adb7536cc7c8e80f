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
import { parse } from "../../src/json/json.ts";

/** A request as the recordings have it. */
export interface RecordedRequest {
  readonly method?: string;
  readonly path?: string;
  readonly body?: unknown;
  readonly rawBody?: string;
  readonly raw?: string;
}

/** An answer in the form of the recordings. */
export interface RecordedAnswer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  /** A body that is not JSON. */
  readonly text?: string;
  /** The connection ended without an answer: why. */
  readonly closed?: string;
  readonly partial?: string;
}

/** A scenario as it was recorded. */
export interface Recording {
  readonly scenario: string;
  readonly exchanges: readonly (RecordedRequest & {
    readonly response: RecordedAnswer;
    /** A pause, in which the VMM ended. */
    readonly waitMs?: number;
  })[];
  /** By process: there is one. */
  readonly events: readonly unknown[];
  readonly exit: readonly unknown[];
}

/** A directory that its user removes. */
export interface Workspace {
  readonly path: string;
  remove(): void;
}

/** A scenario's own directory, with what its requests name. */
export function workspace(): Workspace {
  const path = mkdtempSync(join(tmpdir(), "replay-"));
  writeFileSync(join(path, "guest.elf"), guestElf());
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
): Promise<RecordedAnswer> {
  const bytes = bytesOf(request).replaceAll("$TMP", tmp);
  const closed = (error: string) => ({ closed: error, partial: "" });
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
      resolve(closed(CLOSED[error.code ?? ""] ?? String(error.code)));
    });
    socket.on("close", () => resolve(closed("EOF")));
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

/** How many whole answers a text holds. */
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

/** What Python calls the failures to connect. */
const CLOSED: { readonly [code: string]: string | undefined } = {
  ECONNREFUSED: "ConnectionRefusedError",
  ENOENT: "FileNotFoundError",
};

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
function parseAnswer(text: string): RecordedAnswer | undefined {
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

/**
 * A guest that boots in milliseconds: an ELF file with a PVH entry, which
 * writes a byte to the serial port and halts.
 */
function guestElf(): Uint8Array {
  const entry = 0x100_0000;
  // mov dx, 0x3f8; mov al, 'K'; out dx, al; hlt; jmp to the hlt
  const code = [0x66, 0xba, 0xf8, 0x03, 0xb0, 0x4b, 0xee, 0xf4, 0xeb, 0xfd];
  const codeAt = 0x200;
  const noteAt = 0x100;
  const file = new Uint8Array(codeAt + code.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 62, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(entry), true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 2, true);
  const header = (at: number, fields: {
    type: number;
    flags: number;
    offset: number;
    address: number;
    size: number;
  }) => {
    const { type, flags, offset, address, size } = fields;
    view.setUint32(at, type, true);
    view.setUint32(at + 4, flags, true);
    view.setBigUint64(at + 8, BigInt(offset), true);
    view.setBigUint64(at + 16, BigInt(address), true);
    view.setBigUint64(at + 24, BigInt(address), true);
    view.setBigUint64(at + 32, BigInt(size), true);
    view.setBigUint64(at + 40, BigInt(size), true);
    view.setBigUint64(at + 48, 4n, true);
  };
  header(64, {
    type: 1,
    flags: 5,
    offset: codeAt,
    address: entry,
    size: code.length,
  });
  header(120, { type: 4, flags: 4, offset: noteAt, address: 0, size: 20 });
  view.setUint32(noteAt, 4, true);
  view.setUint32(noteAt + 4, 4, true);
  view.setUint32(noteAt + 8, 18, true);
  file.set([0x58, 0x65, 0x6e, 0], noteAt + 12);
  view.setUint32(noteAt + 16, entry, true);
  file.set(code, codeAt);
  return file;
}
