/**
 * Parses requests as micro_http does, with its window of 1024 bytes, its
 * messages, and its recovery after an error.
 */
import type { Buffer } from "node:buffer";
import { HeaderReader, ParseError } from "./header_reader.ts";

/** A complete request. */
export interface HttpRequest {
  readonly method: string;
  /** The path of the target in origin or absolute form; empty for others. */
  readonly path: string;
  /** Undefined without a Content-Length, or with one of 0. */
  readonly body: Buffer | undefined;
}

/** A parsed request, or an immediate response. */
export type Parsed =
  | { readonly kind: "request"; readonly request: HttpRequest }
  | { readonly kind: "continue"; readonly version: string }
  | { readonly kind: "error"; readonly message: string };

/** The limits of a release. */
export interface Limits {
  readonly methods: readonly string[];
  /** Largest body in bytes. */
  readonly maxBody: number;
}

const WINDOW = 1024;

/** The parser of one connection. */
export class RequestParser {
  readonly #limits: Limits;
  #state: "line" | "headers" | "body" = "line";
  /** The bytes of an unfinished line. */
  #pending: Buffer | undefined;
  #line: { method: string; path: string; version: string } | undefined;
  #headers = new HeaderReader();
  #body: Buffer[] = [];
  #missing = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Parses new bytes, in portions that fill the rest of the window. */
  read(chunk: Buffer): Parsed[] {
    const out: Parsed[] = [];
    for (let at = 0; at < chunk.length;) {
      const free = WINDOW - (this.#pending?.length ?? 0);
      const end = this.#state === "body"
        // Within a body, windows make no difference.
        ? at + Math.max(free, Math.min(this.#missing, chunk.length - at))
        : at + free;
      this.#window(chunk.subarray(at, end), out);
      at = end;
    }
    return out;
  }

  #window(bytes: Buffer, out: Parsed[]): void {
    const data = this.#pending === undefined
      ? bytes
      : concat(this.#pending, bytes);
    const before = out.length;
    try {
      this.#parse(data, out);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      // Requests in the same window are dropped together with the broken one.
      const kept = out.splice(before).filter(({ kind }) => kind === "continue");
      out.push(...kept, { kind: "error", message: error.message });
    }
  }

  #parse(data: Buffer, out: Parsed[]): void {
    let at = 0;
    while (true) {
      if (this.#state === "body") {
        const left = data.length - at;
        this.#body.push(data.subarray(at, at + this.#missing));
        if (this.#missing > left) {
          this.#missing -= left;
          this.#pending = undefined;
          return;
        }
        at += this.#missing;
        out.push({ kind: "request", request: this.#finish(true) });
        continue;
      }
      const end = data.indexOf("\r\n", at, "latin1");
      if (end < 0) return this.#keep(data, at);
      if (this.#state === "line") {
        const line = data.subarray(at, end);
        at = end + 2;
        this.#line = requestLine(line, this.#limits.methods);
        this.#headers = new HeaderReader();
        this.#state = "headers";
      } else if (end > at) {
        this.#headers.add(data.subarray(at, end));
        at = end + 2;
      } else {
        this.#endOfHeaders(out);
        at += 2;
      }
    }
  }

  #endOfHeaders(out: Parsed[]): void {
    const length = this.#headers.contentLength;
    if (length === 0) {
      out.push({ kind: "request", request: this.#finish(false) });
      return;
    }
    if (length > this.#limits.maxBody) {
      throw new ParseError(
        `Request payload with size ${length} is larger than the limit of ` +
          `${this.#limits.maxBody} allowed by server.`,
      );
    }
    if (this.#headers.expect) {
      out.push({ kind: "continue", version: this.#line!.version });
    }
    this.#missing = length;
    this.#state = "body";
  }

  #finish(withBody: boolean): HttpRequest {
    const { method, path } = this.#line!;
    const body = withBody ? concat(...this.#body) : undefined;
    this.#body = [];
    this.#state = "line";
    return { method, path, body };
  }

  /** Keeps an unfinished line for the next window, unless the line is too long. */
  #keep(data: Buffer, at: number): void {
    if (at === 0 && data.length === WINDOW) {
      throw new ParseError(
        this.#state === "line" ? "Invalid request." : "Invalid header. " +
          `Reason: Invalid content length. Header: ${data.toString("utf8")}`,
      );
    }
    this.#pending = at === data.length ? undefined : data.subarray(at);
  }
}

function requestLine(
  line: Buffer,
  methods: readonly string[],
): { method: string; path: string; version: string } {
  const text = line.toString("utf8");
  const first = text.indexOf(" ");
  const second = text.indexOf(" ", first + 1);
  if (first < 0 || second < 0) throw new ParseError("Invalid request.");
  const method = text.slice(0, first);
  const target = text.slice(first + 1, second);
  const version = text.slice(second + 1);
  if (!methods.includes(method)) {
    throw new ParseError("Invalid HTTP Method: Unsupported HTTP method.");
  }
  if (target === "") {
    throw new ParseError("Invalid URI: Empty URI not allowed.");
  }
  if (target.includes("\ufffd")) {
    throw new ParseError("Invalid URI: Cannot parse URI as UTF-8.");
  }
  if (version !== "HTTP/1.1" && version !== "HTTP/1.0") {
    throw new ParseError("Invalid HTTP Version: Unsupported HTTP version.");
  }
  return { method, path: pathOf(target), version };
}

/** The path of an origin-form or absolute-form target. */
function pathOf(target: string): string {
  if (!target.startsWith("http://")) {
    return target.startsWith("/") ? target : "";
  }
  const slash = target.indexOf("/", "http://".length);
  return slash < 0 ? "" : target.slice(slash);
}

function concat(...parts: Buffer[]): Buffer {
  const [first] = parts;
  if (parts.length === 1) return first!;
  const Constructor = first!.constructor as typeof Buffer;
  return Constructor.concat(parts);
}
