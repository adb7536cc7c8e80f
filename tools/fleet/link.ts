/**
 * A slow link between the hosts of a fleet on one machine, as a process:
 * `link.ts <directory of the fleet> <ms>`. It puts its own socket in the place
 * of each socket on which a VMM waits for a VM, and passes the bytes on in
 * chunks, each after up to `ms` milliseconds. The hosts do not know about it.
 *
 * It prints a `LinkReport` as a line of JSON after each change, and ends with
 * its standard input. The line `cut` there ends a transfer in the middle.
 */
import {
  existsSync,
  linkSync,
  lstatSync,
  readdirSync,
  renameSync,
} from "node:fs";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

/** The transfers of a link since its start. */
export interface LinkReport {
  /** The transfers that are under way. */
  readonly open: number;
  /** The transfers that have begun. */
  readonly begun: number;
  /** The bytes that were passed on. */
  readonly bytes: number;
  /** The transfers that were cut. */
  readonly cut: number;
}

const [directory = "", ms = "1"] = process.argv.slice(2);
const LOOK_MS = 5;
const report = { open: 0, begun: 0, bytes: 0, cut: 0 };
const transfers = new Set<() => void>();

process.stdin.on("end", () => process.exit());
createInterface(process.stdin).on("line", () => {
  const open = [...transfers];
  const transfer = open[Math.floor(Math.random() * open.length)];
  if (transfer === undefined) return;
  report.cut++;
  transfer();
});
/** The inodes of the sockets of this link, by their paths. */
const own = new Map<string, number>();
for (;; await pause(LOOK_MS)) {
  for (const path of waitingSockets()) await stepBetween(path);
}

/** The sockets of all VMMs that wait for a VM, but not those of this link. */
function waitingSockets(): string[] {
  return ["a", "b"].flatMap((host) => directoriesIn(join(directory, host)))
    .map((run) => join(run, "migration"))
    .filter((path) => {
      const file = lstatSync(path, { throwIfNoEntry: false });
      return file !== undefined && own.get(path) !== file.ino;
    });
}

function directoriesIn(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(path, name));
}

/** Takes the place of a socket, which gets another name. */
async function stepBetween(path: string): Promise<void> {
  const near = `${path}.${process.pid}`;
  const far = `${path}.far`;
  const server = createServer({ allowHalfOpen: true });
  server.on("connection", (source) => transfer(source, far));
  try {
    server.listen(near);
    await once(server, "listening");
    // After a restart, the socket is that of the link before.
    if (!existsSync(far)) linkSync(path, far);
    own.set(path, lstatSync(near).ino);
    renameSync(near, path);
  } catch {
    server.close(); // The run has ended in the meantime.
  }
}

function transfer(source: Socket, path: string): void {
  const target = connect({ path, allowHalfOpen: true });
  const end = (): void => {
    if (!transfers.delete(end)) return;
    source.destroy();
    target.destroy();
    report.open--;
    print();
  };
  transfers.add(end);
  report.begun++;
  report.open++;
  print();
  source.on("error", end);
  target.on("error", end);
  void Promise.all([passOn(source, target), passOn(target, source)])
    .then(end, end);
}

async function passOn(from: Socket, to: Socket): Promise<void> {
  for await (const chunk of from) {
    await pause(Math.random() * Number(ms));
    report.bytes += chunk.length;
    await new Promise((resolve) => to.write(chunk, resolve));
  }
  to.end();
}

function print(): void {
  console.log(JSON.stringify(report));
}
