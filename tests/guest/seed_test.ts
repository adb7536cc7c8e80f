/** Seed images, read back by a reader of our own and by the usual tools. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { seedImage } from "../../src/guest/mod.ts";
import { testIf } from "../support/skip.ts";
import { inDirectory } from "../support/vmms.ts";

const CASES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "two files": {
    "meta-data": "instance-id: vm0\n",
    "user-data": "#cloud-config\n",
  },
  "no files": {},
  "an empty file": { "meta-data": "", "user-data": "x" },
  "names of any length": Object.fromEntries(
    [1, 12, 13, 14, 26, 27, 255].map((length) => ["n".repeat(length), "text"]),
  ),
  "a file of many clusters": { "user-data": "a line\n".repeat(100_000) },
  "files that need larger clusters": {
    one: "1".repeat(3 << 20),
    two: "2".repeat(1 << 20),
  },
};

for (const [name, files] of Object.entries(CASES)) {
  test(`a seed image has what it was made of: ${name}`, () => {
    assert.deepEqual(parse(seedImage(files)), files);
  });
}

test("a seed image takes bytes as they are", () => {
  const image = seedImage({ data: new Uint8Array([0, 255, 10]) });
  assert.deepEqual(parse(image), { data: "\0\xff\n" });
});

for (
  const name of [
    ...["", "a/b", "a\\b", "a:b", 'a"b', "a*", "a?", "<", ">", "|", "é"],
    ...["tab\t", "a.", "a ", " a", "\0", "x".repeat(256)],
  ]
) {
  test(`a seed image refuses the name ${JSON.stringify(name).slice(0, 20)}`, () => {
    assert.throws(() => seedImage({ [name]: "" }), {
      name: "InvalidRequestError",
      field: "files",
    });
  });
}

test("a seed image refuses what is too large, too much, or there twice", () => {
  const refused = { name: "InvalidRequestError", field: "files" };
  const size = 4084 * 64 * 512;
  assert.throws(() => seedImage({ a: new Uint8Array(size + 1) }), refused);
  assert.ok(seedImage({ a: new Uint8Array(size) }).length > size);
  assert.throws(() => seedImage({ a: "", A: "" }), refused);
  const many = Array.from({ length: 256 }, (_, i) => [`file${i}`, ""]);
  assert.throws(() => seedImage(Object.fromEntries(many)), refused);
});

testIf(
  ["fsck.vfat", "mtype", "blkid"].every((program) =>
    !spawnSync(program, ["--help"]).error
  ),
  "fsck.vfat, mtools or blkid is not installed",
)(
  "fsck.vfat, blkid and mtools read a seed image",
  () =>
    inDirectory((directory) => {
      const path = join(directory, "seed.img");
      for (const [name, files] of Object.entries(CASES)) {
        writeFileSync(path, seedImage(files));
        const checked = run("fsck.vfat", "-n", path);
        const count = Object.keys(files).length;
        assert.match(
          checked,
          new RegExp(`: ${count + 1}|${count} files, `),
          name,
        );
        assert.match(run("blkid", path), /LABEL="CIDATA".* TYPE="vfat"/);
        for (const [file, content] of Object.entries(files)) {
          assert.equal(run("mtype", "-i", path, `::${file}`), content, name);
        }
      }
    }),
);

function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: "latin1",
    maxBuffer: 1 << 26,
  });
  assert.equal(status, 0, `${program}: ${stdout}${stderr}`);
  return stdout;
}

/** The files of a FAT12 volume, by their long names. */
function parse(image: Uint8Array): Record<string, string> {
  const view = new DataView(image.buffer);
  assert.equal(view.getUint16(510, true), 0xaa55);
  const cluster = image[13]! * 512;
  const fatBytes = view.getUint16(22, true) * 512;
  const root = 512 + 2 * fatBytes;
  const fats = [512, 512 + fatBytes].map((at) =>
    image.slice(at, at + fatBytes)
  );
  assert.deepEqual(fats[0], fats[1]);
  const entryOf = (n: number): number => {
    const pair = view.getUint16(512 + n + (n >> 1), true);
    return n % 2 ? pair >> 4 : pair & 0xfff;
  };
  const files: Record<string, string> = {};
  let name = "";
  for (let at = root; image[at] !== 0; at += 32) {
    const attributes = image[at + 11]!;
    if (attributes === 8) {
      assert.equal(latin1(image.slice(at, at + 11)), "CIDATA     ");
    } else if (attributes === 15) {
      const codes = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30]
        .map((offset) => view.getUint16(at + offset, true))
        .filter((code) => code !== 0 && code !== 0xffff);
      name = String.fromCharCode(...codes) + name;
    } else {
      const size = view.getUint32(at + 28, true);
      let content = "";
      for (let n = view.getUint16(at + 26, true); n > 1 && n < 0xff8;) {
        const start = root + 512 * 32 + (n - 2) * cluster;
        content += latin1(image.slice(start, start + cluster));
        n = entryOf(n);
      }
      files[name] = content.slice(0, size);
      name = "";
    }
  }
  return files;
}

function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}
