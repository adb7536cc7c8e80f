/** The small guest of program/guest.c, as a script for the fake VMM. */
import type {
  FakeGuest,
  GuestConnection,
  GuestScript,
} from "../../testing/mod.ts";

let listening = false;

const guest: GuestScript = {
  serialOutput: "micro guest\nvsock cid 3\nguest login: ",
  onBoot(guest) {
    listening = false;
    void greet(guest, 2000).then((text) => guest.print(text));
  },
  async serial(line, guest) {
    const [command, rest] = split(line);
    // The next boot prints the next prompt.
    if (command === "reset") return guest.perform("reboot");
    return `${await answerOf(command, rest, guest)}guest login: `;
  },
  vsock: {
    1000: echo,
    1002: () => {},
    1003: (connection) => void sendMuch(connection),
    1004: (connection) => void count(connection),
    get 1010() {
      return listening ? echo : undefined;
    },
  },
};

export default guest;

function split(line: string): [command: string, rest: string] {
  const [command = ""] = line.split(" ");
  return [command, line.slice(command.length + 1)];
}

async function answerOf(
  command: string,
  rest: string,
  guest: FakeGuest,
): Promise<string> {
  switch (command) {
    case "":
      return "";
    case "echo":
      return `${rest}\n`;
    case "listen":
      listening = true;
      return "listening\n";
    case "flood":
      return Array.from({ length: Number(rest) }, (_, n) => `line ${n}\n`)
        .join("");
    case "connect":
      return await greet(guest, Number(rest));
    case "off":
      guest.print("off\n");
      guest.perform("powerOff");
      return "";
    case "panic":
      guest.perform("panic");
      return "panic\n";
    default:
      return `no such command: ${command}\n`;
  }
}

/** Connects to the host, and prints the first answer later. */
async function greet(guest: FakeGuest, port: number): Promise<string> {
  try {
    const connection = await guest.connect(port);
    void (async () => {
      const writer = connection.writable.getWriter();
      await writer.write(new TextEncoder().encode("READY\n"));
      const { value } = await connection.readable.getReader().read();
      if (value) {
        guest.print(`vsock: host says ${new TextDecoder().decode(value)}`);
      }
      connection.close();
    })().catch(() => {});
    return "";
  } catch {
    return "vsock: host refused\n";
  }
}

function echo({ readable, writable }: GuestConnection): void {
  readable.pipeTo(writable).catch(() => {});
}

async function sendMuch({ writable }: GuestConnection): Promise<void> {
  const writer = writable.getWriter();
  try {
    for (let part = 0; part < 256; part++) {
      await writer.write(new Uint8Array(4096).fill(0x78));
    }
    await writer.close();
  } catch {
    // The host has closed.
  }
}

async function count(connection: GuestConnection): Promise<void> {
  let bytes = 0;
  for await (const chunk of connection.readable) bytes += chunk.length;
  const writer = connection.writable.getWriter();
  await writer.write(new TextEncoder().encode(`${bytes}\n`));
  await writer.close();
}
