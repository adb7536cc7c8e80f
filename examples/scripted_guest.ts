/** The guest of the fake VMM in `console.ts`, `attach.ts` and `ready.ts`. */
import type { GuestScript } from "@chv/cloud-hypervisor/testing";

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
    const decoded = /^base64 -d (\S+)$/.exec(line)?.[1];
    if (decoded !== undefined) {
      return `${atob(files.get(decoded) ?? "")}${prompt}`;
    }
    return line === "uname -sr" ? `Linux 6.12.0\n${prompt}` : prompt;
  },
};

export default guest;
