/** Answers requests: what is logged, what a fault meets, and what is done. */
import { Buffer } from "node:buffer";
import type { OperationName } from "../src/generated/api.gen.ts";
import { requests } from "../src/generated/requests.gen.ts";
import { encode } from "../src/json.ts";
import {
  type Call,
  failure,
  operationAt,
  panicked,
  refusal,
  route,
  success,
} from "./api.ts";
import { type Faults, suffer } from "./faults.ts";
import { Killed, type Machine, Panic } from "./machine.ts";
import { messages } from "./messages.ts";
import { StartError } from "./options.ts";
import type { Request } from "./parser.ts";
import { Refusal } from "./refusal.ts";
import { deserialize } from "./serde.ts";
import type { Reply } from "./server.ts";

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
        Buffer.from(encode(body)!),
      );
      this.#machine.perform(operation, value);
    } catch (error) {
      const chain = error instanceof Refusal
        ? [messages[operation], ...error.chain]
        : [(error as Error).message];
      throw new StartError([failure, ...chain]);
    }
  }

  /** Answers a request, now or later. */
  answer(request: Request): Reply | Promise<Reply> {
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
    const log = (reply: Reply) => {
      if (reply !== "cut") entry.status = reply.status;
      return reply;
    };
    const work = () => this.#carryOut(request);
    const { clock, exit } = this.#machine.parts;
    const fault = operation && this.#faults.take(operation);
    const reply = fault === undefined
      ? work()
      : suffer(fault, clock, work, () => exit(1, true));
    return reply instanceof Promise ? reply.then(log) : log(reply);
  }

  #carryOut(request: Request): Reply | Promise<Reply> {
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

  #failed({ operation }: Call, error: unknown): Reply {
    const { release, parts: { exit } } = this.#machine;
    if (error instanceof Refusal) return refusal(release, operation, error);
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
