/** Errors that pass through JSON, a worker or a job queue. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as entry from "../../mod.ts";
import { CloudHypervisorError, errorFrom } from "../../mod.ts";
import {
  ApiError,
  ConnectionError,
  DeadlineError,
  InvalidRequestError,
  VmmExitedError,
} from "../../src/errors/errors.ts";
import { parseCommandLine } from "../../src/command_line/mod.ts";
import { GuestError } from "../../src/guest/mod.ts";
import { MigrationError, RollbackError } from "../../src/workflows/mod.ts";

const CONTEXT = { operation: "vm.boot", socketPath: "/run/a.sock" } as const;

const refusal = new ApiError(500, ["Error from API", "VM is not running"], {
  operation: "vm.pause",
  socketPath: "/run/a.sock",
});
const odd = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
const closed = new ConnectionError("closed", { ...CONTEXT, cause: odd });

/** An error of every class, with causes of every kind. */
const ERRORS: CloudHypervisorError[] = [
  refusal,
  closed,
  new ConnectionError("refused", { ...CONTEXT, cause: "a text" }),
  new DeadlineError(10, CONTEXT),
  new DeadlineError(10, {}, 'VM at "/run/a.sock" is not Running after 10 ms'),
  new InvalidRequestError("fatal_request", "memory.size", "too small", CONTEXT),
  new VmmExitedError({ exitCode: null, signal: "SIGSYS", stderr: "bad\n" }, {
    cause: closed,
  }),
  new RollbackError(refusal, closed, "The VM is left paused", {
    socketPath: "/run/a.sock",
  }),
  new MigrationError("Running", "gone", { cause: closed }),
  commandLineError(),
  new GuestError("reset", "The guest closed the connection", {
    path: "/run/vsock",
    cause: odd,
  }),
];

function commandLineError(): CloudHypervisorError {
  try {
    parseCommandLine(["--kernel", "/k", "--cpus", "bot=1"]);
  } catch (error) {
    if (error instanceof CloudHypervisorError) return error;
  }
  throw new Error("the command line was accepted");
}

/** All that a user can see of an error. */
function visible(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, cause, stack: _, ...fields } = {
    ...error,
    name: error.name,
    message: error.message,
    cause: error.cause,
    stack: "",
  };
  const own = Object.entries(fields).filter(([, value]) => value !== undefined)
    .map(([key, value]) => [key, visible(value)]);
  return { name, message, cause: visible(cause), ...Object.fromEntries(own) };
}

/** The ways on which plain data leaves a program. */
const WAYS: { readonly [name: string]: (error: unknown) => unknown } = {
  JSON: (error) => JSON.parse(JSON.stringify(error)),
  structuredClone: (error) =>
    structuredClone((error as CloudHypervisorError).toJSON()),
};

for (const [name, way] of Object.entries(WAYS)) {
  test(`every error is the same after it passed through ${name}`, () => {
    for (const error of ERRORS) {
      const copy = errorFrom(way(error));
      assert.equal(copy.constructor, error.constructor);
      assert.ok(copy instanceof CloudHypervisorError);
      assert.deepEqual(visible(copy), visible(error));
      assert.deepEqual(copy.toJSON(), error.toJSON());
    }
  });
}

test("toJSON() has the message, the code, the retry and all causes", () => {
  assert.deepEqual(refusal.toJSON(), {
    name: "ApiError",
    message: refusal.message,
    code: "not_running",
    retry: "never",
    operation: "vm.pause",
    socketPath: "/run/a.sock",
    status: 500,
    messages: ["Error from API", "VM is not running"],
    causes: [],
  });
  const { causes } = ERRORS[6]!.toJSON();
  assert.deepEqual(causes.map(({ name, code }) => [name, code]), [
    ["ConnectionError", "closed"],
    ["Error", "ECONNRESET"],
  ]);
  const loop = new Error("loop");
  loop.cause = loop;
  const looped = new ConnectionError("closed", { cause: loop });
  assert.equal(looped.toJSON().causes.length, 1);
});

test("structuredClone() of an error keeps its message and its cause", () => {
  const copy = structuredClone(closed) as Error;
  assert.equal(copy.message, closed.message);
  assert.match(copy.message, /closed/);
});

test("errorFrom() takes only an error's own fields", () => {
  const json = {
    ...refusal.toJSON(),
    toJSON: "no",
    constructor: "no",
    extra: 1,
  };
  const error = errorFrom(JSON.parse(JSON.stringify(json)));
  assert.deepEqual(error.toJSON(), refusal.toJSON());
  assert.equal(error.constructor, ApiError);
});

test("errorFrom() refuses what is no error of this library", () => {
  const code = "invalid_request";
  for (
    const json of [undefined, null, "text", 7, {}, {
      name: "Error",
      message: "a",
      code: "ENOENT",
    }]
  ) {
    assert.throws(() => errorFrom(json), { code, field: "json" });
  }
});

test("errorFrom() keeps the code of a class that is not imported", () => {
  const root = fileURLToPath(new URL("../../mod.ts", import.meta.url));
  const json = JSON.stringify(ERRORS[7]);
  const script = `
    const { CloudHypervisorError, errorFrom } = await import(${
    JSON.stringify(root)
  });
    const error = errorFrom(${json});
    console.log(error instanceof CloudHypervisorError, error.code, error.name);`;
  const args = "Deno" in globalThis
    ? ["eval", script]
    : ["--input-type=module", "-e", script];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: "utf8",
  });
  assert.equal(stdout, "true rollback_failed RollbackError\n", stderr);
});

test("every class of the root can be made again", () => {
  const classes = Object.values(entry).filter((value) =>
    typeof value === "function" &&
    value.prototype instanceof CloudHypervisorError
  );
  const made = new Set<unknown>(ERRORS.map(({ constructor }) => constructor));
  assert.ok(classes.length >= 5);
  assert.deepEqual(classes.filter((one) => !made.has(one)), []);
});
