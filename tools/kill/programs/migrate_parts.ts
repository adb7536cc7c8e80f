/** Moves the VM in the work directory in parts. */
import process from "node:process";
import { moveInParts } from "../support/moves.ts";

console.log("begin");
await moveInParts(process.argv[2]!);
console.log("done");
