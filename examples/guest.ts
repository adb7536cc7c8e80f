/**
 * A guest of a few hundred bytes that cloud-hypervisor boots on x86_64: it
 * writes a line to the serial port, then halts or powers off. It needs no
 * kernel image.
 */

/** The guest is loaded and entered at this address: 16 MiB. */
const BASE = 0x1000000;
const HEADERS = 64 + 2 * 56;

/** An ELF64 file with a Xen PHYS32_ENTRY note, entered in 32-bit mode. */
export function guestElf(
  line: string,
  end: "halt" | "power off" = "halt",
): Uint8Array {
  const text = new TextEncoder().encode(`${line}\r\n\0`);
  const note = xenNote(BASE);
  const code = program(text, end === "power off" ? POWER_OFF : []);
  const codeAt = HEADERS + note.length;
  const file = new Uint8Array(codeAt + code.length);
  const view = new DataView(file.buffer);

  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true); // an executable
  view.setUint16(18, 62, true); // for x86_64
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(BASE), true);
  view.setBigUint64(32, 64n, true); // program headers follow
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 2, true);

  segment(view, 64, { type: 1, flags: 7, at: codeAt, size: code.length });
  segment(view, 120, { type: 4, flags: 4, at: HEADERS, size: note.length });
  file.set(note, HEADERS);
  file.set(code, codeAt);
  return file;
}

function segment(
  view: DataView,
  header: number,
  { type, flags, at, size }: {
    type: number;
    flags: number;
    at: number;
    size: number;
  },
): void {
  view.setUint32(header, type, true);
  view.setUint32(header + 4, flags, true);
  view.setBigUint64(header + 8, BigInt(at), true);
  view.setBigUint64(header + 16, BigInt(BASE), true);
  view.setBigUint64(header + 24, BigInt(BASE), true);
  view.setBigUint64(header + 32, BigInt(size), true);
  view.setBigUint64(header + 40, BigInt(size), true);
  view.setBigUint64(header + 48, 4n, true);
}

/** Name `Xen`, type 18: the physical address of the entry point. */
function xenNote(entry: number): Uint8Array {
  const note = new Uint8Array(20);
  const view = new DataView(note.buffer);
  view.setUint32(0, 4, true);
  view.setUint32(4, 4, true);
  view.setUint32(8, 18, true);
  note.set([0x58, 0x65, 0x6e, 0], 12);
  view.setUint32(16, entry, true);
  return note;
}

/** Writes to the VMM's ACPI device: sleep state 5, enabled. */
const POWER_OFF = [
  ...[0x66, 0xba, 0x00, 0x06], // mov dx, 0x600
  ...[0xb0, 0x34], //             mov al, 0x34
  0xee, //                        out dx, al
];

function program(text: Uint8Array, last: readonly number[]): Uint8Array {
  const code = [
    ...[0xbe, 0, 0, 0, 0], //       mov esi, text
    ...[0x66, 0xba, 0xf8, 0x03], // mov dx, 0x3f8
    0xac, //                 next:  lodsb
    ...[0x84, 0xc0], //             test al, al
    ...[0x74, 0x03], //             jz last
    0xee, //                        out dx, al
    ...[0xeb, 0xf8], //             jmp next
    ...last,
    0xf4, //                 halt:  hlt
    ...[0xeb, 0xfd], //             jmp halt
  ];
  const file = new Uint8Array(code.length + text.length);
  file.set(code);
  file.set(text, code.length);
  new DataView(file.buffer).setUint32(1, BASE + code.length, true);
  return file;
}
