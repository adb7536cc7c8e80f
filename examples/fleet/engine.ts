/** The engine: Restate's server as a process, and its admin API. */
import { type ChildProcess, spawn } from "node:child_process";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import * as fs from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import type { Place } from "./services.ts";

/** Starts the engine on loopback, for callers, administrators and nodes. */
export function startEngine(
  directory: string,
  ports: readonly number[],
): ChildProcess {
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  const pem = `${directory}/identity.pem`;
  if (!fs.existsSync(pem)) {
    const { privateKey } = generateKeyPairSync("ed25519");
    const text = privateKey.export({ type: "pkcs8", format: "pem" });
    fs.writeFileSync(pem, text, { mode: 0o600 });
  }
  const [ingress, admin, node] = ports.map((port) => `"127.0.0.1:${port}"`);
  const config = `
    node-name = "node"
    base-dir = "${directory}/data"
    bind-address = ${node}
    listen-mode = "tcp"
    disable-telemetry = true
    default-num-partitions = 4
    rocksdb-total-memory-size = "256 MiB"
    log-filter = "error"
    ingress.bind-address = ${ingress}
    admin.bind-address = ${admin}
    worker.invoker.request-identity-private-key-pem-file = "${pem}"`;
  fs.writeFileSync(`${directory}/restate.toml`, config);
  const program = createRequire(import.meta.url).resolve(
    `@restatedev/restate-server-linux-${process.arch}/bin/restate-server`,
  );
  const args = ["--config-file", `${directory}/restate.toml`];
  const log = fs.openSync(`${directory}/log`, "a");
  const env = { ...process.env, TMPDIR: directory };
  return spawn(program, args, { env, stdio: ["ignore", log, log] });
}

/** The key by which a service knows the engine's requests, in base58. */
export function identityKey(directory: string): string {
  const key = createPublicKey(fs.readFileSync(`${directory}/identity.pem`));
  const bytes = key.export({ type: "spki", format: "der" }).subarray(-32);
  let text = "";
  let rest = BigInt(`0x${bytes.toString("hex")}`);
  for (; rest > 0n; rest /= 58n) text = BASE58[Number(rest % 58n)] + text;
  const zeros = bytes.findIndex((byte) => byte > 0);
  return `publickeyv1_${"1".repeat(zeros)}${text}`;
}

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** Sends a request to the admin API, such as `POST deployments`. */
export async function ask(
  admin: string,
  call: string,
  body?: unknown,
  // deno-lint-ignore no-explicit-any
): Promise<any> {
  const [method = "", path] = call.split(" ");
  const response = await fetch(`${admin}/${path}`, {
    method,
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify(body) ?? null,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${call}: ${response.status} ${text}`);
  return text && JSON.parse(text);
}

export async function query<Row>(admin: string, sql: string): Promise<Row[]> {
  return (await ask(admin, "POST query", { query: sql })).rows;
}

/** The places of all VMs, by name. */
export async function placesOf(admin: string): Promise<Map<string, Place>> {
  const rows = await query<{ name: string; place: string }>(
    admin,
    `SELECT service_key AS name, value_utf8 AS place FROM state
     WHERE service_name = 'vm' AND key = 'place' ORDER BY name`,
  );
  return new Map(rows.map(({ name, place }) => [name, JSON.parse(place)]));
}
