// Runs as it is where the package is installed. In Deno without an import map,
// write "jsr:@chv/cloud-hypervisor…" in the imports.
/** The guest of the fake VMM in the examples that reach their guest. */
import type {
  GuestConnection,
  GuestScript,
} from "@chv/cloud-hypervisor/testing";
import { spawn } from "node:child_process";
import process from "node:process";

const files = new Map<string, string>();
let isLoggedIn = false;

const guest: GuestScript = {
  powersOffAfterMs: 10,
  serialOutput: "fake login: ",
  onBoot(guest) {
    // As systemd does, with the credential that ready.ts gives.
    void guest.connect(8888).then(async ({ writable }) => {
      const writer = writable.getWriter();
      await writer.write(new TextEncoder().encode("READY=1\n"));
      await writer.close();
    }).catch(() => {});
  },
  serial(line) {
    const prompt = "# ";
    if (!isLoggedIn) {
      isLoggedIn = true;
      return `Welcome, ${line}\n${prompt}`;
    }
    const [, text = "", path = ""] = /^printf %s '(.*)' >> (.*)$/.exec(line) ??
      [];
    if (path !== "") files.set(path, (files.get(path) ?? "") + text);
    const [, job = ""] = /^base64 -d (\S+) > /.exec(line) ?? [];
    if (job !== "") files.set("/tmp/job", atob(files.get(job) ?? ""));
    const mark = /^echo (\S+); sh \/tmp\/job/.exec(line)?.[1];
    if (mark !== undefined) {
      // Its shell knows two commands: echo and exit.
      const text = files.get("/tmp/job") ?? "";
      const output = text.match(/(?<=^echo ).*\n/gm)?.join("") ?? "";
      const code = /^exit (\d+)$/m.exec(text)?.[1] ?? 0;
      return `${mark}\n${output}${mark}=${code}\n${prompt}`;
    }
    const decoded = /^base64 -d (\S+)$/.exec(line)?.[1];
    if (decoded !== undefined) {
      return `${atob(files.get(decoded) ?? "")}${prompt}`;
    }
    return line === "uname -sr" ? `Linux 6.12.0\n${prompt}` : prompt;
  },
  vsock: { 22: (connection) => void serveSsh(connection) },
};

export default guest;

/** Serves a connection by `FAKE_SSHD`, an sshd that uses stdin and stdout. */
async function serveSsh(connection: GuestConnection): Promise<void> {
  const { FAKE_SSHD: command } = process.env;
  if (command === undefined) return connection.close();
  const child = spawn("/bin/sh", ["-c", command], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.on("error", () => {});
  const writer = connection.writable.getWriter();
  child.stdout.on("data", (chunk: Uint8Array) => {
    writer.write(chunk).catch(() => child.kill());
  });
  child.once("close", () => void writer.close().catch(() => {}));
  try {
    for await (const chunk of connection.readable) child.stdin.write(chunk);
  } finally {
    child.stdin.end();
  }
}
