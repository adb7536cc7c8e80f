/** Two clients in a runtime that has neither its own fetch nor node:http. */
import process from "node:process";
import { createClient } from "../../mod.ts";

for (const name of ["Deno", "Bun"]) Reflect.deleteProperty(globalThis, name);
process.getBuiltinModule = () => undefined as never;

const path = "/nowhere/api.sock";
const pong = { version: "v1", build_version: "v1", pid: 1, features: [] };
const fetch = () => Promise.resolve(Response.json(pong));
const { version } = await createClient(path, { fetch }).vmm.ping();
process.stdout.write(`${version}\n`);
try {
  await createClient(path).vmm.ping();
} catch (error) {
  const { code, message } = error as Error & { code: string };
  process.stdout.write(`${code}: ${message}`);
}
