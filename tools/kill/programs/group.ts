/** A script that owns a group, in directories that the next run has, too. */
import process from "node:process";
import { spawnVmms } from "../../../src/process/mod.ts";
import { optionsOf } from "../support/group.ts";

const [work] = process.argv.slice(2);
console.log("begin");
const group = await spawnVmms(optionsOf(work!));
await group.stop();
console.log("done");
