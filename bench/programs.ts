/** The programs that users reach for, where the machine has them. */
import { spawn, spawnSync } from "node:child_process";
import process from "node:process";

/** A program that does one call. */
export interface Program {
  readonly name: string;
  readonly version: string;
  /** The arguments for a call, the program first. */
  command(socketPath: string, call: "vmm.ping" | "vm.info"): string[];
}

/**
 * curl and ch-remote (`CH_REMOTE`, or by PATH), and the Rust program that
 * `RUST_CLIENT` names: its arguments are the socket and the call's path.
 */
export function programs(): Program[] {
  const { CH_REMOTE = "ch-remote", RUST_CLIENT } = process.env;
  const found = [
    program("curl", "curl", (socket, call) => [
      ...["--silent", "--unix-socket", socket],
      `http://localhost/api/v1/${call}`,
    ]),
    program("ch-remote", CH_REMOTE, (socket, call) => [
      ...["--api-socket", socket],
      call === "vmm.ping" ? "ping" : "info",
    ]),
    RUST_CLIENT === undefined
      ? undefined
      : program("Rust", RUST_CLIENT, (socket, call) => [socket, call]),
  ];
  return found.filter((one) => one !== undefined);
}

function program(
  name: string,
  path: string,
  args: (socket: string, call: "vmm.ping" | "vm.info") => string[],
): Program | undefined {
  const { status, stdout } = spawnSync(path, ["--version"], {
    encoding: "utf8",
  });
  if (status !== 0) return undefined;
  return {
    name,
    version: stdout.split("\n")[0]!.split(" ").slice(0, 2).join(" "),
    command: (socket, call) => [path, ...args(socket, call)],
  };
}

/** Resolves when it has ended well. */
export function runs([program, ...args]: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, {
      stdio: ["ignore", "ignore", "inherit"],
    });
    child.on("error", reject).on("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${program} ${args.join(" ")}: ${code}`));
    });
  });
}
