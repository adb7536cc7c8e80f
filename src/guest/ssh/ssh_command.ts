/** An ssh that reaches the guest through vsock. */
import { InvalidRequestError } from "../../errors/errors.ts";
import { AbortScope } from "../../wait/abort_scope.ts";
import { checkPort, vsockPathOf, type VsockTarget } from "../vsock/target.ts";
import { evalCommand } from "./runtime.ts";

/** Options of {@linkcode sshCommand}. */
export interface SshCommandOptions {
  /** The user in the guest. Default: `"root"`. */
  readonly user?: string | undefined;
  /** The file of the private key. Default: the keys that ssh itself takes. */
  readonly identity?: string | undefined;
  /** The vsock port that sshd listens on. Default: `22`. */
  readonly port?: number | undefined;
  /**
   * The program that connects ssh to the socket: the script's own runtime, or
   * `socat`, which has to be installed.
   *
   * Default: `"runtime"`.
   */
  readonly proxy?: "runtime" | "socat" | undefined;
  /** Aborts the call of `vm.info` that finds the path of the socket. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes the command line of an `ssh` that goes through vsock: to start, with a
 * command behind it, or to print. The guest needs an sshd on a vsock port, as
 * systemd 256 provides it, and one of the keys; see `guestCredentials`. The
 * guest's host key is not checked: the socket is the identity.
 *
 * For `scp` and `sftp` take all but the first and the last argument.
 *
 * @param target The VMM, or the path of `vsock.socket`.
 * @throws {InvalidRequestError} with the field `port` or `user` if the value is
 * not valid, `vsock` if the VM has no vsock device, or `proxy` if the script
 * was compiled to one file: it has no runtime to start, and needs `socat`.
 * @throws {VmmExitedError} The VMM of the handle is gone.
 *
 * @example
 * ```ts
 * import { createClient } from "@chv/cloud-hypervisor";
 * import { sshCommand } from "@chv/cloud-hypervisor/guest";
 * import { spawnSync } from "node:child_process";
 *
 * const client = createClient("/run/vm0/api.sock");
 * const [ssh, ...args] = await sshCommand({ client }, { identity: "key" });
 * spawnSync(ssh, [...args, "uname -a"], { stdio: "inherit" });
 * ```
 */
export async function sshCommand(
  target: VsockTarget,
  options: SshCommandOptions = {},
): Promise<[program: string, ...args: string[]]> {
  const { user = "root", identity, port = 22, proxy = "runtime" } = options;
  checkPort(port);
  // ssh would take it for an option, or for a part of another word.
  if (!/^[\w.][\w.@+-]*$/.test(user)) {
    throw new InvalidRequestError(
      "invalid_request",
      "user",
      `${JSON.stringify(user)} is not the name of a user`,
    );
  }
  const { signal } = options;
  const scope = new AbortScope({ signal });
  let path: string;
  try {
    path = await scope.race(vsockPathOf(target, scope.signal));
  } finally {
    scope.close();
  }
  const command = proxy === "socat"
    ? socatCommand(path, port)
    : runtimeCommand(path, port);
  return [
    "ssh",
    ...["-o", `ProxyCommand=${command.map(quoted).join(" ")}`],
    ...["-o", "StrictHostKeyChecking=no"],
    ...["-o", "UserKnownHostsFile=/dev/null"],
    ...["-o", "LogLevel=ERROR"],
    ...identity === undefined
      ? []
      : ["-i", identity.replaceAll("%", "%%"), "-o", "IdentitiesOnly=yes"],
    `${user}@vsock`,
  ];
}

/**
 * ssh takes the VMM's `OK` for a line before the banner of sshd, so the proxy
 * only asks for the port, and copies.
 */
function runtimeCommand(path: string, port: number): string[] {
  const command = evalCommand();
  if (command === undefined) {
    throw new InvalidRequestError(
      "invalid_request",
      "proxy",
      'a compiled script has no runtime to start; install socat, and give proxy: "socat"',
    );
  }
  const code = `import("node:net").then(({connect})=>{` +
    `const{stdin,stdout,exit}=process,` +
    `s=connect({path:${literalOf(path)},allowHalfOpen:true});` +
    `s.on("error",e=>{console.error(e.message);exit(1)});` +
    `s.on("end",()=>stdout.end(()=>exit()));` +
    `s.write("CONNECT ${port}\\n");stdin.pipe(s);s.pipe(stdout,{end:false})})`;
  return [...command, code];
}

/** A string of JavaScript without quotes or backslashes but those of escapes. */
function literalOf(text: string): string {
  const escaped = [...text].map((character) =>
    /[^\w./ -]/.test(character)
      ? `\\u{${character.codePointAt(0)!.toString(16)}}`
      : character
  );
  return `"${escaped.join("")}"`;
}

function socatCommand(path: string, port: number): string[] {
  // socat's own syntax: these end or begin a part of an address.
  const address = path.replaceAll(/[\\,:!"'()[\]{}]/g, "\\$&");
  const word = `"$(printf %b "${octal(`UNIX-CONNECT:${address}`)}")"`;
  const script = `(echo CONNECT ${port}; exec cat) | exec socat - ${word}`;
  return ["sh", "-c", script];
}

/** For printf: without quotes, of which ssh and the shell think differently. */
function octal(text: string): string {
  return [...new TextEncoder().encode(text)].map((byte) => {
    const character = String.fromCharCode(byte);
    if (/[\w./:-]/.test(character)) return character;
    return `\\0${byte.toString(8).padStart(3, "0")}`;
  }).join("");
}

/** For the shell of the user, after ssh has replaced its own `%` tokens. */
function quoted(word: string): string {
  const whole = word.replaceAll("%", "%%");
  return `'${whole.replaceAll("'", `'\\''`)}'`;
}
