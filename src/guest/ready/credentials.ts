/** Credentials of systemd, which a guest reads from its SMBIOS tables. */
import { Buffer } from "node:buffer";
import { InvalidRequestError } from "../../errors/errors.ts";
import { checkPort } from "../vsock/target.ts";

/** Options of {@linkcode guestCredentials}. */
export interface GuestCredentialsOptions {
  /**
   * The port of the host that systemd reports to, for `waitForReady`, whose
   * default is 8888. Needs systemd 254 in the guest.
   */
  readonly readyPort?: number | undefined;
  /**
   * Public keys, in the format of `authorized_keys`, that may log in as any
   * user over vsock port 22, for `sshCommand`. Needs systemd 256 in the guest.
   */
  readonly authorizedKeys?: string | readonly string[] | undefined;
  /**
   * More credentials by their names, such as `passwd.hashed-password.root`;
   * systemd's manual page systemd.system-credentials lists them.
   */
  readonly more?: Readonly<Record<string, string | Uint8Array>> | undefined;
}

/**
 * Makes systemd's credentials for `platform.oem_strings` of a configuration.
 * The guest needs no agent, no image of its own and no network for them.
 *
 * SMBIOS is x86_64 only; on other machines give the kernel's command line
 * `systemd.set_credential=NAME:VALUE`. Give secrets by `vm.create`, never on
 * the command line of the VMM, which every user can see.
 *
 * @throws {InvalidRequestError} A name or a value cannot be a credential, or
 * there are more than 255.
 *
 * @example
 * ```ts
 * import { guestCredentials } from "@chv/cloud-hypervisor/guest";
 *
 * const platform = {
 *   oem_strings: guestCredentials({ readyPort: 8888 }),
 * };
 * ```
 */
export function guestCredentials(
  { readyPort, authorizedKeys = [], more = {} }: GuestCredentialsOptions,
): string[] {
  const strings: string[] = [];
  if (readyPort !== undefined) {
    checkPort(readyPort, "readyPort");
    // CID 2 is the host.
    const socket = `vsock-stream:2:${readyPort}`;
    strings.push(`io.systemd.credential:vmm.notify_socket=${socket}`);
  }
  const keys = typeof authorizedKeys === "string"
    ? [authorizedKeys]
    : authorizedKeys;
  if (keys.length > 0) {
    const lines = keys.map((key) => checkKey(key.trimEnd())).join("\n");
    strings.push(toBinary("ssh.ephemeral-authorized_keys-all", `${lines}\n`));
  }
  for (const [name, value] of Object.entries(more)) {
    strings.push(toBinary(checkName(name), value));
  }
  if (strings.length > MAX_STRINGS) {
    refuse("more", `${strings.length} strings, and SMBIOS takes 255`);
  }
  return strings;
}

/** In base64, since a value may have any bytes. */
function toBinary(name: string, value: string | Uint8Array): string {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  if (bytes.length > MAX_BYTES) {
    refuse(`more["${name}"]`, "a credential takes at most 1 MiB");
  }
  const text = Buffer.from(bytes).toString("base64");
  return `io.systemd.credential.binary:${name}=${text}`;
}

function checkKey(key: string): string {
  if (/^[\w@.,"=-]+ .*[\w+/]/.test(key)) return key;
  return refuse(
    "authorizedKeys",
    'a key is a line such as "ssh-ed25519 AAAA… name"',
  );
}

function checkName(name: string): string {
  if (/^[\w.@-]{1,255}$/.test(name) && !/^\.\.?$/.test(name)) return name;
  return refuse("more", `"${name}" is not the name of a credential`);
}

function refuse(field: string, reason: string): never {
  throw new InvalidRequestError("invalid_request", field, reason);
}

const MAX_STRINGS = 255;
const MAX_BYTES = 1 << 20;
