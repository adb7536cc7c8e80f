/** The TPM, whose emulator must listen. */
import type { Config } from "../../src/schema/config.ts";
import type { Host } from "./host.ts";
import { deviceManagerError } from "./vmm_error.ts";

/** @throws {VmmError} if no emulator listens on the socket. */
export function createTpm(host: Host, { tpm }: Config): void {
  const path = tpm?.socket;
  if (path === undefined || !host.isReal) return;
  const reason = host.exists(path)
    ? refusal(host, path)
    : `The input TPM Socket path: ${JSON.stringify(path)} does not exist`;
  if (reason === undefined) return;
  throw deviceManagerError(
    "Cannot create tmp device",
    "Failed to create TPM Device : Init(Failed while initializing tpm " +
      `Emulator: InitializeEmulator(${reason}))`,
  );
}

function refusal(host: Host, path: string): string | undefined {
  try {
    host.assertSocket(path);
    return undefined;
  } catch {
    return "Failed while initializing tpm emulator: ConnectToSocket(Failed to " +
      "connect to tpm Socket. Error: Os { code: 111, kind: " +
      'ConnectionRefused, message: "Connection refused" })';
  }
}
