import assert from "node:assert/strict";
import { test } from "node:test";
import { readResponse } from "../../src/client/response.ts";
import { CloudHypervisorError } from "../../src/errors/base_error.ts";
import type { ApiErrorCode } from "../../src/errors/error_code.ts";
import {
  ApiError,
  ConnectionError,
  DeadlineError,
  InvalidRequestError,
  VmmExitedError,
} from "../../src/errors/errors.ts";
import { operations } from "../../src/generated/api.gen.ts";
import { releaseNames } from "../../testing/release.ts";
import { type Exchange, recordings, textOf } from "../support/recordings.ts";

const PATH = "/run/vm0/api.sock";
const CONTEXT = { operation: "vm.boot", socketPath: PATH } as const;

/** The code of a recorded exchange. */
function codeOf(exchange: Exchange): ApiErrorCode | undefined {
  const { status } = exchange.response;
  if (status === undefined || status < 300) return undefined;
  return refusal(status, textOf(exchange)).code;
}

function refusal(status: number, text: string): ApiError {
  try {
    readResponse(operations["vm.boot"], status, text, CONTEXT);
  } catch (error) {
    if (error instanceof ApiError) return error;
  }
  throw new Error("it was not refused");
}

/** A recording of each code; the next test has the codes without one. */
const MET: [ApiErrorCode, scenario: string, path: string, said: string][] = [
  ["not_created", "no-vm", "vm.info", "VM is not created"],
  ["not_running", "no-vm", "vm.pause", "VM is not running"],
  ["wrong_state", "snapshot", "vm.snapshot", "while VM is running"],
  ["already_exists", "snapshot", "vm.restore", "VM is already created"],
  ["unknown_device", "hotplug", "vm.remove-device", "Failed to find device"],
  ["duplicate_id", "hotplug", "vm.add-disk", "Identifier d0 is not unique"],
  ["invalid_config", "created", "vm.add-fs", "Failed to validate config"],
  ["invalid_json", "bad bodies", "vm.create", "Failed to deserialize JSON"],
  ["unsupported", "methods", "vm.nope", "Not Found"],
  ["busy", "resize", "vm.resize", "Too Many Requests"],
  ["vmm_gone", "console", "vm.create", "on a closed channel"],
  ["missing_file", "hotplug", "vm.add-disk", "Cannot open disk path"],
  ["in_use", "hotplug", "vm.add-disk", "already locked"],
  ["other", "every operation", "vm.resize-zone", "Failed resizing"],
];

for (const release of releaseNames) {
  test(`ApiError has the code of each refusal that ${release} was seen to make`, () => {
    for (const [code, scenario, path, said] of MET) {
      const found = recordings(release)
        .filter((recording) => recording.scenario.includes(scenario))
        .flatMap(({ exchanges }) => exchanges)
        .filter((exchange) =>
          exchange.path === `/api/v1/${path}` &&
          textOf(exchange).includes(said)
        );
      assert.ok(found.length > 0, `${scenario}, ${path}: "${said}"`);
      for (const exchange of found) assert.equal(codeOf(exchange), code);
    }
  });
}

test("ApiError has the codes that no recording leads to", () => {
  const over = '{ "error": "Too many open connections" }';
  assert.equal(refusal(503, over).code, "overloaded");
  assert.deepEqual(refusal(503, over).messages, ["Too many open connections"]);
  const large = "Request payload with size 60000 is larger than the limit of " +
    "51200 allowed by server.\nAll previous unanswered requests will be dropped.";
  assert.equal(refusal(400, `{ "error": "${large}" }`).code, "too_large");
  const migrating =
    '["Error from API","VM is currently migrating and can\'t be modified"]';
  assert.equal(refusal(500, migrating).code, "migrating");
});

// tests/client/older_releases_test.ts compares the older ones.
test("ApiError has the same code on both newest releases for the same request", () => {
  const [newest, ...older] = releaseNames.slice(0, 2).map(recordings);
  let compared = 0;
  for (const [i, { scenario, exchanges }] of newest!.entries()) {
    for (const [j, exchange] of exchanges.entries()) {
      // The parser of v53.0 does not know the method.
      const { method, raw } = exchange;
      if (method === "DELETE" || raw?.startsWith("DELETE")) continue;
      // These bodies are read and checked in another order.
      if (scenario === "bodies of others") continue;
      const code = codeOf(exchange);
      for (const recorded of older) {
        const other = codeOf(recorded[i]!.exchanges[j]!);
        if (code === undefined || other === undefined) continue;
        assert.equal(code, other, `${scenario} ${j}: ${textOf(exchange)}`);
        compared++;
      }
    }
  }
  assert.ok(compared > 80, `${compared} compared`);
});

test("ApiError reads the four forms of an error body", () => {
  const forms: [string, string[]][] = [
    ['["Error from API","The VM could not boot"]', [
      "Error from API",
      "The VM could not boot",
    ]],
    ["VM is not created", ["VM is not created"]],
    ['{ "error": "Invalid request.\nAll previous" }', [
      "Invalid request.\nAll previous",
    ]],
    ["", []],
  ];
  for (const [text, messages] of forms) {
    assert.deepEqual(refusal(500, text).messages, messages);
  }
  assert.equal(refusal(500, "VM is not created").code, "not_created");
});

test("errors name the operation and the socket, and say what to do", () => {
  const errors: CloudHypervisorError[] = [
    refusal(404, '["Error from API","VM is not created"]'),
    new ConnectionError("refused", CONTEXT),
    new DeadlineError(10, CONTEXT),
    new InvalidRequestError("invalid_request", "a.b", "a.b is NaN", CONTEXT),
  ];
  for (const error of errors) {
    assert.ok(error instanceof CloudHypervisorError && error instanceof Error);
    assert.ok(error.message.includes("vm.boot"), error.message);
    assert.ok(error.message.includes(PATH), error.message);
    assert.equal(error.operation, "vm.boot");
    assert.equal(error.socketPath, PATH);
  }
  assert.match(errors[0]!.message, /create a VM first with vm\.create/);
  assert.match(errors[1]!.message, /start it again/);
  assert.equal(errors[2]!.name, "TimeoutError");
});

test("ConnectionError words each code, and keeps the cause", () => {
  const cause = new Error("as the runtime says");
  const codes = [
    "socket_missing",
    "refused",
    "permission_denied",
    "runtime_permission",
    "closed",
    "not_http",
  ] as const;
  const messages = codes.map((code) => {
    const error = new ConnectionError(code, { ...CONTEXT, cause });
    assert.equal(error.code, code);
    assert.equal(error.cause, cause);
    return error.message;
  });
  assert.equal(new Set(messages).size, codes.length);
});

test("ConnectionError tells what may have killed the VMM", () => {
  const message = (operation: "vm.create" | "vm.send-migration" | "vm.boot") =>
    new ConnectionError("closed", { operation }).message;
  assert.match(message("vm.create"), /249 KB/);
  assert.match(message("vm.send-migration"), /migration of shared memory/);
  assert.doesNotMatch(message("vm.boot"), /kills/);
});

test("VmmExitedError words how the process ended", () => {
  const message = (exitCode: number | null, signal: string | null) =>
    new VmmExitedError({ exitCode, signal, stderr: "out of luck\n" }).message;
  assert.equal(message(1, null), "The VMM exited with code 1: out of luck");
  assert.equal(
    message(null, "SIGSYS"),
    "The VMM was ended by SIGSYS: out of luck",
  );
  assert.equal(message(null, null), "The VMM has ended: out of luck");
});
