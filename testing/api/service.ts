/** Answers requests: what is logged, what a fault meets, and what is done. */
import { Buffer } from "node:buffer";
import type { OperationName } from "../../src/generated/api.gen.ts";
import { requests } from "../../src/generated/requests.gen.ts";
import { stringify } from "../../src/json/json.ts";
import {
  type Call,
  errorReply,
  failure,
  operationAt,
  panicked,
  route,
  success,
} from "./routes.ts";
import { applyFault, type Faults } from "./faults.ts";
import { Killed, type Machine, Panic } from "../machine/machine.ts";
import { messages } from "./messages.ts";
import { StartError } from "../options.ts";
import type { HttpRequest } from "../http/request_parser.ts";
import { VmmError } from "../machine/vmm_error.ts";
import { deserialize } from "../serde/deserialize.ts";
import type { HttpReply } from "../http/server.ts";

/** A request that the fake has read. */
export interface LoggedRequest {
  /** As it was sent. */
  readonly method: string;
  /** The target's path, whichever form the target has. */
  readonly path: string;
  /** The operation at that path, if there is one. */
  readonly operation: OperationName | undefined;
  /** The body as text; empty without one. */
  readonly body: string;
  /** The status of the answer; undefined until there is one. */
  readonly status: number | undefined;
}

/** Stands between the server and the machine. */
export class Service {
  readonly requests: LoggedRequest[] = [];
  readonly #machine: Machine;
  readonly #faults: Faults;

  constructor(machine: Machine, faults: Faults) {
    this.#machine = machine;
    this.#faults = faults;
  }

  /**
   * Carries out what a flag asks for, as a request would.
   * @throws {StartError} if it is refused.
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
      this.#machine.perform(operation, value);
    } catch (error) {
      const chain = error instanceof VmmError
        ? [messages[operation], ...error.chain]
        : [(error as Error).message];
      throw new StartError([failure, ...chain]);
    }
  }

  /** Answers a request, now or later. */
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
    const work = () => this.#carryOut(request);
    const { clock, exit } = this.#machine.parts;
    const fault = operation && this.#faults.take(operation);
    const reply = fault === undefined
      ? work()
      : applyFault(fault, clock, work, () => exit(1, true));
    return reply instanceof Promise ? reply.then(log) : log(reply);
  }

  #carryOut(request: HttpRequest): HttpReply | Promise<HttpReply> {
    const call = route(this.#machine.release, request);
    if (call === "cut" || "status" in call) return call;
    try {
      const data = this.#machine.perform(call.operation, call.body);
      if (!(data instanceof Promise)) return success(call.operation, data);
      return data.then(
        (late) => success(call.operation, late),
        (error) => this.#failed(call, error),
      );
    } catch (error) {
      return this.#failed(call, error);
    }
  }

  #failed({ operation }: Call, error: unknown): HttpReply {
    const { release, parts: { exit } } = this.#machine;
    if (error instanceof VmmError) return errorReply(release, operation, error);
    if (error instanceof Killed) {
      exit(SIGSYS, true);
      return "cut";
    }
    if (error instanceof Panic) {
      exit(1, true);
      return panicked;
    }
    return failure(500, [
      "bug in the fake VMM",
      String((error as Error).stack),
    ]);
  }
}

/** The exit code of a process that was ended by SIGSYS. */
const SIGSYS = 128 + 31;
