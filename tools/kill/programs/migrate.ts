/** Moves the VM in the work directory by one call. */
import process from "node:process";
import { moveAtOnce } from "../support/moves.ts";

console.log("begin");
await moveAtOnce(process.argv[2]!);
console.log("done");
