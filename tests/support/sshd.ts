/** An sshd that serves its stdin and stdout, with keys of its own. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { isInstalled } from "./installed.ts";

/** True where the programs of OpenSSH can run here. */
export const hasSshd: boolean = existsSync("/usr/sbin/sshd") &&
  process.getuid?.() === 0 && isInstalled("ssh-keygen") &&
  isInstalled("ssh") && isInstalled("scp");

export const NO_SSHD: string =
  "OpenSSH is not installed, or the user is not root";

/** The command of the sshd; the client's key is the file `key`. */
export function prepareSshd(directory: string): string[] {
  mkdirSync("/run/sshd", { recursive: true });
  const key = join(directory, "key");
  const hostKey = join(directory, "host");
  for (const path of [key, hostKey]) {
    spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
  }
  const keys = join(directory, "authorized_keys");
  writeFileSync(keys, readFileSync(`${key}.pub`), { mode: 0o600 });
  const config = join(directory, "sshd_config");
  writeFileSync(
    config,
    `HostKey ${hostKey}\nAuthorizedKeysFile ${keys}\nStrictModes no\nPermitRootLogin yes\nUsePAM no\nSubsystem sftp internal-sftp\n`,
  );
  return ["/usr/sbin/sshd", "-i", "-f", config];
}
