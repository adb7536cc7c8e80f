/** Answers requests: logs them, applies faults, performs the operations. */
import { Buffer } from "node:buffer";
import type { OperationName } from "../../src/generated/api.gen.ts";
import { refusals } from "../../src/generated/refusals.gen.ts";
import { requests } from "../../src/generated/requests.gen.ts";
import { stringify } from "../../src/json/json.ts";
import type { HttpRequest } from "../http/request_parser.ts";
import type { HttpReply } from "../http/server.ts";
import { exitCode, killedBy } from "../machine/exit.ts";
import type { Machine } from "../machine/machine.ts";
import { Hang, Killed, Panic, VmmError } from "../machine/vmm_error.ts";
import { perform } from "../operations/mod.ts";
import { StartError } from "../options.ts";
import { deserialize } from "../serde/deserialize.ts";
import { applyFault, type Faults } from "./faults.ts";
import {
  errorReply,
  failure,
  operationAt,
  type OperationRequest,
  panicReply,
  route,
  success,
} from "./routes.ts";

/** A request that the fake VMM has read. */
export interface LoggedRequest {
  /** The method, as it was sent. */
  readonly method: string;
  /** The path of the target, in origin form and in absolute form. */
  readonly path: string;
  /** The operation at that path, if there is one. */
  readonly operation: OperationName | undefined;
  /** The body as text; empty without a body. */
  readonly body: string;
  /** The status of the response; undefined until it is sent. */
  readonly status: number | undefined;
}

/** Connects the HTTP server with the machine. */
export class Service {
  readonly requests: LoggedRequest[] = [];
  readonly #machine: Machine;
  readonly #faults: Faults;

  constructor(machine: Machine, faults: Faults) {
    this.#machine = machine;
    this.#faults = faults;
  }

  /**
   * Performs an operation that a flag asks for.
   *
   * @param failure The first message of the chain, if the operation fails.
   * @throws {StartError} if the operation is refused.
   */
  perform(operation: OperationName, body: unknown, failure: string): void {
    const { release } = this.#machine;
    const schema = requests[operation];
    try {
      const value = schema === undefined ? undefined : deserialize(
        release,
        schema,
        Buffer.from(stringify(body)!),
      );
      perform(this.#machine, operation, value);
    } catch (error) {
      const chain = error instanceof VmmError
        ? [refusals[operation].message, ...error.chain]
        : [(error as Error).message];
      throw new StartError([failure, ...chain]);
    }
  }

  /** Answers a request, at once or later. */
  answer(request: HttpRequest): HttpReply | Promise<HttpReply> {
    const { method, path } = request;
    const operation = operationAt(path);
    const entry = {
      method,
      path,
      operation,
      body: request.body?.toString("utf8") ?? "",
      status: undefined as number | undefined,
    };
    this.requests.push(entry);
    const log = (reply: HttpReply) => {
      if (reply !== "cut") entry.status = reply.status;
      return reply;
    };
    const answer = () => this.#answer(request);
    const { clock, exit } = this.#machine.parts;
    const fault = operation && this.#faults.take(operation);
    const reply = fault === undefined
      ? answer()
      : applyFault(fault, clock, answer, () => exit(killedBy("SIGKILL")));
    return reply instanceof Promise ? reply.then(log) : log(reply);
  }

  #answer(request: HttpRequest): HttpReply | Promise<HttpReply> {
    const call = route(this.#machine.release, request);
    if (call === "cut" || "status" in call) return call;
    try {
      const data = perform(this.#machine, call.operation, call.body);
      if (!(data instanceof Promise)) return success(call.operation, data);
      return data.then(
        (late) => success(call.operation, late),
        (error) => this.#errorReply(call, error),
      );
    } catch (error) {
      return this.#errorReply(call, error);
    }
  }

  #errorReply(
    { operation }: OperationRequest,
    error: unknown,
  ): HttpReply | Promise<HttpReply> {
    const { release, parts: { clock, exit } } = this.#machine;
    if (error instanceof Hang) return new Promise(() => {});
    if (error instanceof VmmError) {
      const reply = errorReply(release, operation, error);
      const { afterMs } = error;
      if (afterMs === 0) return reply;
      return new Promise((resolve) =>
        clock.after(afterMs, () => resolve(reply))
      );
    }
    if (error instanceof Killed) {
      exit(killedBy(error.signal));
      return "cut";
    }
    if (error instanceof Panic) {
      exit(exitCode(1));
      return panicReply;
    }
    return failure(500, [
      "bug in the fake VMM",
      String((error as Error).stack),
    ]);
  }
}
