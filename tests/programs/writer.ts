/** Writes events to a file as a busy VMM does, in pieces cut anywhere. */
import { openSync, writeSync } from "node:fs";
import { Buffer } from "node:buffer";
import process from "node:process";
import { randomFrom } from "../support/random.ts";

const [path, count, seed] = process.argv.slice(2);
const random = randomFrom(Number(seed));
const fd = openSync(path!, "w");
const record = (secs: number, source: string): string =>
  `${
    JSON.stringify(
      {
        timestamp: { secs, nanos: 0 },
        source,
        event: "shutdown",
        properties: null,
      },
      null,
      2,
    )
  }\n\n`;
let text = "";
for (let n = 0; n <= Number(count); n++) {
  text += record(n, n === Number(count) ? "vmm" : "vm");
  if (text.length < 10_000 && n < Number(count)) continue;
  const bytes = Buffer.from(text);
  const cut = 1 + Math.floor(random() * (bytes.length - 1));
  writeSync(fd, bytes, 0, cut);
  writeSync(fd, bytes, cut);
  text = "";
}
