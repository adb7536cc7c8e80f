/**
 * The request parser of micro_http, with its 1024-byte window: what it refuses,
 * in which words, and what it makes of the bytes after that.
 */
import type { Buffer } from "node:buffer";
import { HeaderReader, ParseError } from "./header_reader.ts";

/** A whole request. */
export interface HttpRequest {
  readonly method: string;
  /** The path, of either form of target; empty when there is none. */
  readonly path: string;
  /** Undefined without a Content-Length, or with one of 0. */
  readonly body: Buffer | undefined;
}

/** What came out of the bytes, in the order of the answers. */
export type Parsed =
  | { readonly kind: "request"; readonly request: HttpRequest }
  | { readonly kind: "continue"; readonly version: string }
  | { readonly kind: "error"; readonly message: string };

/** What the releases see differently. */
export interface Limits {
  readonly methods: readonly string[];
  /** Bytes of a body. */
  readonly maxBody: number;
}

const WINDOW = 1024;

/** One connection's parser. */
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

  /** Takes what arrived, in reads as large as the window is free. */
  read(chunk: Buffer): Parsed[] {
    const out: Parsed[] = [];
    for (let at = 0; at < chunk.length;) {
      const free = WINDOW - (this.#pending?.length ?? 0);
      const end = this.#state === "body"
        // Whole windows of a body need no look at each.
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
    const found = out.length;
    try {
      this.#parse(data, out);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      // The requests before it in the same read are dropped with it.
      const kept = out.splice(found).filter(({ kind }) => kind === "continue");
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

  /** Keeps an unfinished line for the next read, unless it fills the window. */
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
