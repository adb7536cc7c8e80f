/** The engine: Restate's server, in a directory that also has its sockets. */
import { unixFetch } from "@chv/cloud-hypervisor";
import { connect, type Ingress } from "@restatedev/restate-sdk-clients";
import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import * as fs from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { type Run, serde } from "./service.ts";

export { rpc } from "@restatedev/restate-sdk-clients";

/** Starts the engine; it goes on where it was. */
export function startEngine(directory: string): ChildProcess {
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (!fs.existsSync(`${directory}/identity.pem`)) {
    const { privateKey } = generateKeyPairSync("ed25519");
    const pem = privateKey.export({ type: "pkcs8", format: "pem" });
    fs.writeFileSync(`${directory}/identity.pem`, pem, { mode: 0o600 });
  }
  const program = createRequire(import.meta.url).resolve(
    `@restatedev/restate-server-linux-${process.arch}/bin/restate-server`,
  );
  const config = `${import.meta.dirname}/restate.toml`;
  const log = fs.openSync(`${directory}/log`, "a");
  return spawn(program, ["--config-file", config], {
    cwd: directory,
    env: { ...process.env, TMPDIR: directory },
    stdio: ["ignore", log, log],
  });
}

/** The key by which a service knows the requests of the engine. */
export function identityKey(engine: string): string {
  const log = fs.readFileSync(`${engine}/log`, "utf8");
  return /publickeyv1_\w+/.exec(log)![0];
}

/** The engine for callers. */
export function connectEngine(engine: string): Ingress {
  // A call may last, so that each needs a connection of its own.
  const fetch = (url: string | URL | Request, init?: RequestInit) =>
    unixFetch(`${engine}/data/node/ingress.sock`)(url, init);
  return connect({ url: "http://engine", serde, fetch });
}

/** Sends a request to the admin API, such as `POST deployments`. */
export async function ask(engine: string, call: string, body?: unknown) {
  const [method = "", path] = call.split(" ");
  const fetch = unixFetch(`${engine}/data/node/admin.sock`);
  const response = await fetch(`http://engine/${path}`, {
    method,
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify(body) ?? null,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${call}: ${response.status} ${text}`);
  return text && JSON.parse(text);
}

export async function query<Row>(engine: string, sql: string): Promise<Row[]> {
  return (await ask(engine, "POST query", { query: sql })).rows;
}

/** The last runs of all VMs: where they are. */
export async function placesOf(engine: string): Promise<Run[]> {
  const rows = await query<{ place: string }>(
    engine,
    `SELECT value_utf8 AS place FROM state
     WHERE service_name = 'vm' AND key = 'place' ORDER BY service_key`,
  );
  return rows.map(({ place }) => JSON.parse(place));
}
