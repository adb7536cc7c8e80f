/** The codes and messages of all refusals of real VMMs that are known. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readResponse } from "../../src/client/response.ts";
import { codeTable } from "../../src/errors/code_table.ts";
import type { ApiErrorCode } from "../../src/errors/error_code.ts";
import { ApiError } from "../../src/errors/errors.ts";
import { type OperationName, operations } from "../../src/generated/api.gen.ts";
import { allRecordings, textOf } from "../support/recordings.ts";

interface Refusal {
  readonly source: string;
  readonly status: number;
  /** The body of the response. */
  readonly text: string;
}

const recorded: Refusal[] = allRecordings().flatMap(
  ({ release, scenario, exchanges }) =>
    exchanges.flatMap((exchange) => {
      const { path = "raw", response: { status = 0 } } = exchange;
      if (status < 300) return [];
      const source = `${release} ${scenario} ${path.replace("/api/v1/", "")}`;
      return [{ source, status, text: textOf(exchange) }];
    }),
);

interface Case {
  readonly id: string;
  readonly real: Record<string, readonly { status?: number; body?: unknown }[]>;
}

const { cases } = JSON.parse(
  readFileSync(new URL("../cases/bodies.json", import.meta.url), "utf8"),
) as { cases: Case[] };

const tried: Refusal[] = cases.flatMap(({ id, real }) =>
  Object.entries(real).flatMap(([release, steps]) =>
    steps.flatMap(({ status = 0, body }) => {
      if (status < 300) return [];
      const text = body === undefined ? "" : JSON.stringify(body);
      return [{ source: `${release} ${id}`, status, text }];
    })
  )
);

/** The error of a response with these messages. */
function refused(
  status: number,
  chain: readonly string[],
  operation?: OperationName,
): ApiError {
  return errorOf({ status, text: JSON.stringify(chain) }, operation);
}

function errorOf(
  { status, text }: Pick<Refusal, "status" | "text">,
  operation: OperationName = "vm.add-disk",
): ApiError {
  try {
    readResponse(operations[operation], status, text, { operation });
  } catch (error) {
    if (error instanceof ApiError) return error;
  }
  throw new Error("the response was no refusal");
}

/** The refusals that keep the code `other`, by their last message. */
const OTHERS: { readonly [message: string]: string } = {
  "Could not verify AMX support. These are the supported features that were reported: features=231":
    "the host's CPU lacks a feature: no code is for that",
  "Cannot create the system allocator":
    "the guest's address space is too small, which the message does not say",
  "Failed to compute initramfs address":
    "the initramfs or the memory has a wrong size: which of them is not said",
  "Failed resizing a disk image": "says neither what failed nor why",
  "Failed resizing a memory zone": "says neither what failed nor why",
  "Could not find the node in the device tree":
    "an internal failure, seen after a device was removed twice",
};

test("each refusal without a code of its own is listed with its reason", () => {
  assert.ok(recorded.length > 180 && tried.length > 280);
  const others = (refusals: Refusal[]): string[] =>
    refusals.map((refusal) => errorOf(refusal))
      .filter(({ code }) => code === "other")
      .map(({ messages }) => messages.at(-1) ?? "")
      // Refusals of the HTTP parser: no HTTP client sends such bytes.
      .filter((message) => !/^Invalid (request|URI|header|HTTP)/.test(message));
  assert.ok(others(tried).length <= 15, `${others(tried).length}`);
  for (const message of [...others(tried), ...others(recorded)]) {
    assert.ok(message in OTHERS, JSON.stringify(message));
  }
});

test("a refusal by the host has the code of its kind", () => {
  const codes: { readonly [id: string]: ApiErrorCode } = {
    "path-kernel-missing": "missing_file",
    "path-rng-missing": "missing_file",
    "path-vsock-no-directory": "missing_file",
    "device-missing": "missing_file",
    "vdpa-missing": "missing_file",
    "tpm-missing": "missing_file",
    "user-device-missing": "missing_file",
    "path-add-vsock-taken": "in_use",
    "disk-same-rw": "in_use",
    "debug-console-iobase-600": "in_use",
    "path-disk-directory": "bad_file",
    "disk-qcow-asraw": "bad_file",
    "memory-size-1m": "bad_file",
    "net-mtu-max": "invalid_config",
    "platform-uuid-bad": "invalid_config",
    "payload-cmdline-tab": "invalid_config",
  };
  for (const [id, code] of Object.entries(codes)) {
    const found = tried.filter(({ source }) => source.endsWith(` ${id}`));
    assert.ok(found.length > 0, id);
    for (const refusal of found) assert.equal(errorOf(refusal).code, code, id);
  }
  const said: [ApiErrorCode, string][] = [
    ["no_permission", "Permission denied (os error 13)"],
    ["no_permission", "Operation not permitted (os error 1)"],
    ["no_memory", "Cannot allocate memory (os error 12)"],
    // As musl words it.
    ["no_memory", "Out of memory (os error 12)"],
    ["in_use", "Address in use (os error 98)"],
    ["in_use", "Device or resource busy (os error 16)"],
  ];
  for (const [code, message] of said) {
    assert.equal(refused(500, ["a", message]).code, code);
  }
});

test("a message names each path and name of its chain", () => {
  const names = /"[^"]+"|(?:\/|\$TMP)[^\s:"')]*[^\s:"').]/g;
  let checked = 0;
  for (const refusal of [...recorded, ...tried]) {
    const { message, messages } = errorOf(refusal);
    for (const [name] of messages.join("\n").matchAll(names)) {
      assert.ok(message.includes(name), `${name} is not in: ${message}`);
      checked++;
    }
  }
  assert.ok(checked > 60, `${checked}`);
});

test("a message says what failed, where, and what to do", () => {
  const chain = [
    "Error from API",
    "The VM could not boot",
    "Error from device manager",
    "Cannot open disk path",
    "I/O error (path=/none.raw op=open)",
    "No such file or directory (os error 2)",
  ];
  const context = { operation: "vm.boot", socketPath: "/run/a.sock" } as const;
  assert.equal(
    new ApiError(500, chain, context).message,
    'vm.boot on "/run/a.sock" failed (500, missing_file): ' +
      "Cannot open disk path: I/O error (path=/none.raw op=open): " +
      "No such file or directory (os error 2); check that it exists on the " +
      "VMM's host, and delete the VM before you boot again",
  );
  const odd = refused(500, ["Cannot open /a\nb", "No"]);
  assert.match(odd.message, /Cannot open \/a\\nb: No/);
});

/** Texts that users choose, each with the look of a message of the VMM. */
const CHOSEN = Object.values(codeTable).flatMap(({ messages = [] }) =>
  messages.map((item) => typeof item === "string" ? item : item[0])
).concat([
  "No such file or directory (os error 2)",
  "Address already in use (os error 98)",
  "x: Permission denied (os error 13)",
  "a\nVM is not running",
]);

/** The messages in which the VMM repeats such a text, and the code of each. */
const REPEATING: [ApiErrorCode, (text: string) => string[]][] = [
  ["missing_file", (text) => [
    "Cannot open disk path",
    `I/O error (path=/images/${text} op=open)`,
    "No such file or directory (os error 2)",
  ]],
  ["in_use", (text) => [
    `Failed to get Write lock for disk image: /${text}`,
    "The file is already locked",
  ]],
  ["duplicate_id", (text) => [
    "Failed to validate config",
    `Identifier ${text} is not unique`,
  ]],
  ["duplicate_id", (text) => [
    "Error from device manager",
    `Invalid identifier as it is not unique: ${text}`,
  ]],
  ["unknown_device", (text) => [`No device with id "${text}" to remove`]],
  ["unknown_device", (text) => [
    `Failed to find device corresponding to the given identifier: ${text}`,
  ]],
  ["missing_file", (text) => [`Destination is not a directory: "/${text}"`]],
  ["invalid_config", (text) => [`Could not extract path from URL: ${text}`]],
  ["missing_file", (text) => [
    `Error opening VM config snapshot file "/${text}"`,
    "No such file or directory (os error 2)",
  ]],
  ["invalid_json", (text) => [
    "Failed to deserialize JSON",
    `unknown variant \`${text}\`, expected \`Acpi\` or \`VirtioMem\``,
  ]],
  ["invalid_config", (text) => [
    "Open tap device failed",
    `Interface name too long (max length is 15): ${text}`,
  ]],
  ["invalid_config", (text) => [`Failure to parse uuid: ${text}`, "invalid"]],
  ["invalid_config", (text) => [
    `Error validating send migration parameters: ${text}`,
  ]],
  // A device that the VMM refuses for a reason that has no code.
  ["other", (text) => [`I/O error (path=/${text} op=read)`, "Odd"]],
  ["other", (text) => [`The device failed: "${text}"`]],
];

test("text that a user chose never decides the code", () => {
  for (const [code, chainOf] of REPEATING) {
    for (const text of CHOSEN) {
      const chain = ["Error from API", ...chainOf(text)];
      assert.equal(refused(500, chain).code, code, chain.join(" | "));
    }
  }
});

/** The codes with which a boot may have built a part of the VM. */
const HALF_BUILT: readonly ApiErrorCode[] = [
  "duplicate_id",
  "invalid_config",
  "missing_file",
  "in_use",
  "no_permission",
  "no_memory",
  "bad_file",
  "other",
];

test("an error after a boot says to delete the VM, and not to try again", () => {
  for (const refusal of tried) {
    const { code, retry, message } = errorOf(refusal, "vm.boot");
    if (HALF_BUILT.includes(code)) {
      assert.match(message, /delete the VM before you boot again$/);
      assert.equal(retry, "never");
    }
    if (code !== "busy" && code !== "migrating") {
      assert.notEqual(retry, "now", message);
    }
    assert.doesNotMatch(errorOf(refusal).message, /boot again/);
  }
  // Nothing was built.
  assert.equal(refused(503, [], "vm.boot").retry, "now");
  const created = refused(404, ["VM is not created"], "vm.boot");
  assert.doesNotMatch(created.message, /boot again/);
});

test("busy, overloaded and migrating mean that the VMM did nothing", () => {
  const now: [number, string[]][] = [
    [429, ["Too Many Requests"]],
    [503, ["Too many open connections"]],
    [500, ["VM is currently migrating and can't be modified"]],
    [500, ["VM on-demand memory restore is still in progress"]],
  ];
  for (const [status, chain] of now) {
    assert.equal(refused(status, chain, "vm.snapshot").retry, "now");
  }
  assert.equal(refused(500, ["Odd"]).retry, "look");
});
