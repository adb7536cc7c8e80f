/**
 * Everything that `deno task ok` checks but the tests: `deno task gates`. What
 * is given is handed to the drift check.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import project from "../deno.json" with { type: "json" };
import { BIN } from "./test/runtimes.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const env = { ...process.env, PATH: `${BIN}:${process.env["PATH"]}` };

const gates: Record<string, string[]> = {
  format: ["deno", "fmt", "--check"],
  lint: ["deno", "lint"],
  "types in Deno": ["deno", "check", "--quiet", "."],
  "types in Node and Bun": ["tsc", "-p", "tsconfig.json"],
  documentation: [
    "deno",
    "doc",
    "--quiet",
    "--lint",
    // What ./sdk hands on is hey-api's own code, and documented there.
    ...Object.values(project.exports).filter((path) =>
      path !== "./src/sdk/mod.ts"
    ),
  ],
  publishing: ["deno", "publish", "--dry-run", "--allow-dirty"],
  drift: ["deno", "task", "--quiet", "spec:drift", ...process.argv.slice(2)],
};

// All of them, so that one run tells everything.
const failed = Object.entries(gates).filter(([title, [program, ...args]]) => {
  console.log(`== ${title}`);
  const options = { cwd: ROOT, env, stdio: "inherit" } as const;
  return spawnSync(program!, args, options).status !== 0;
}).map(([title]) => title);

if (failed.length > 0) console.log(`== failed: ${failed.join(", ")}`);
process.exitCode = failed.length > 0 ? 1 : 0;
