/**
 * A script that goes on with what another script has stored: it reads the file
 * that is named, moves the VM, and prints everything that it has read.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { errorFrom, type ErrorJson, type VmCounters } from "../../mod.ts";
import { parse, stringify } from "../../src/json/mod.ts";
import { connectVmm } from "../../src/process/mod.ts";
import { MigrationError, sendVm } from "../../src/workflows/mod.ts";

export interface Stored {
  readonly error: ErrorJson;
  readonly counters: VmCounters;
  readonly since: number;
  readonly url: string;
  readonly socketPath: string;
  readonly eventsPath: string;
}

if (import.meta.main) {
  const stored = parse(readFileSync(process.argv[2]!, "utf8")) as Stored;
  const error = errorFrom(stored.error);
  if (!(error instanceof MigrationError)) throw error;
  const { url, since } = stored;
  const source = await connectVmm(stored.socketPath, stored);
  const outcome = await sendVm(source, { url, since });
  const text = stringify({ ...stored, error: error.toJSON() });
  process.stdout.write(`${outcome}\n${text}\n`);
}
