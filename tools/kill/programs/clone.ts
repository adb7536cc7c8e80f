/** Clones the snapshot in the work directory. */
import process from "node:process";
import { startClones } from "../support/clones.ts";

console.log("begin");
await startClones(process.argv[2]!);
console.log("done");
