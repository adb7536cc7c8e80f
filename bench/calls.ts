/**
 * Measures calls, exact JSON and the heap in the runtime that runs it:
 * `calls.ts SOCKET SCALE`, where the scale 1 is the whole. Prints JSON.
 */
import process from "node:process";
import { createClient, type VmConfig } from "../mod.ts";
import { parse } from "../src/json/json.ts";
import { createSdk } from "../src/sdk/mod.ts";
import { bareTo } from "./bare.ts";
import { compare, type Figure } from "./compare.ts";

/** The results of one runtime. */
export interface Calls {
  readonly figures: readonly Figure[];
  /** Bytes on the heap after as many calls. */
  readonly heap: readonly (readonly [calls: number, bytes: number])[];
}

const [socketPath = "", scale = "1"] = process.argv.slice(2);
const bare = bareTo(socketPath);
const client = createClient(socketPath);
const sdk = createSdk(socketPath);
const rounds = (whole: number): number =>
  Math.max(2, Math.ceil(whole * Number(scale)));

/** 32 disks and 32 nets: `vm.info` has about 30 KB. */
const large: VmConfig = {
  payload: { kernel: "/boot/vmlinux" },
  disks: Array.from({ length: 32 }, (_, i) => ({
    id: `disk${i}`,
    path: "/dev/null",
    readonly: true,
    serial: `serial-of-disk-${i}`,
  })),
  net: Array.from({ length: 32 }, (_, i) => ({
    id: `net${i}`,
    mac: `12:34:56:78:90:${(i + 16).toString(16)}`,
  })),
};

/** A body of at least 100 KiB. */
const long: VmConfig = {
  payload: { kernel: "/boot/vmlinux" },
  disks: Array.from({ length: 640 }, (_, i) => ({
    id: `disk${i}`,
    path: `/var/lib/machines/one/of/many/disks/number-${i}/disk.raw`,
    serial: `serial-of-disk-number-${i}-${"x".repeat(48)}`,
  })),
};

async function calls(): Promise<Figure[]> {
  const ping = await compare("ping", rounds(3000), [
    { name: "bare", run: () => bare("GET", "vmm.ping") },
    { name: "bare again", run: () => bare("GET", "vmm.ping") },
    { name: "this client", run: () => client.vmm.ping() },
    { name: "./sdk", run: () => sdk.vmm.ping() },
  ]);
  await client.vm.create(large);
  const info = await compare("vm.info, 64 devices", rounds(3000), [
    { name: "bare", run: () => bare("GET", "vm.info") },
    { name: "bare again", run: () => bare("GET", "vm.info") },
    { name: "this client", run: () => client.vm.info() },
    { name: "./sdk", run: () => sdk.vm.info() },
  ]);
  const text = JSON.stringify(await bare("GET", "vm.info"));
  const before = (): Promise<void> => client.vm.delete();
  const create = await compare("vm.create, 100 KiB", rounds(400), [
    { name: "bare", before, run: () => bare("PUT", "vm.create", long) },
    { name: "bare again", before, run: () => bare("PUT", "vm.create", long) },
    { name: "this client", before, run: () => client.vm.create(long) },
    { name: "./sdk", before, run: () => sdk.vm.create({ body: long }) },
  ]);
  await client.vm.delete();
  return [...ping, ...info, ...create, ...await json(text)];
}

async function json(text: string): Promise<Figure[]> {
  const wide = text.replace('"size":536870912', '"size":9007199254740993');
  if (wide === text) throw new Error("no number was replaced");
  const twenty = (by: (text: string) => unknown, text: string) => () => {
    for (let i = 0; i < 20; i++) by(text);
    return Promise.resolve();
  };
  return [
    ...await compare("20 times the JSON of vm.info", rounds(3000), [
      { name: "JSON.parse", run: twenty(JSON.parse, text) },
      { name: "exact", run: twenty(parse, text) },
    ]),
    ...await compare("the same with a number beyond 2^53", rounds(3000), [
      { name: "JSON.parse", run: twenty(JSON.parse, wide) },
      { name: "exact", run: twenty(parse, wide) },
    ]),
  ];
}

async function heap(): Promise<Calls["heap"]> {
  const { gc } = globalThis as unknown as { gc(): void };
  const taken: [number, number][] = [];
  for (let step = 1; step <= 10; step++) {
    for (let i = 0; i < rounds(2500); i++) {
      await Promise.all([1, 2, 3, 4].map(() => client.vmm.ping()));
    }
    // One collection frees what lets the next one free more.
    for (let i = 0; i < 3; i++) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    taken.push([step * rounds(2500) * 4, process.memoryUsage().heapUsed]);
  }
  return taken;
}

const results: Calls = { figures: await calls(), heap: await heap() };
console.log(JSON.stringify(results));
process.exit();
