/** A person's terminal on a console of the guest. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { openConsole } from "../../src/guest/mod.ts";
import { hosts, LOSES_OUTPUT } from "./support.ts";

const PROMPT = "guest login: ";

for (const host of hosts) {
  host.testSince(53, LOSES_OUTPUT)(
    `${host.name}: attach() gives a terminal to the guest, and back`,
    () =>
      host.with(async ({ vmm }) => {
        await using console = await openConsole(vmm);
        await vmm.client.vm.boot();
        const { input, output, modes } = terminal();
        const attached = console.attach({ input, output });
        await output.waitFor(PROMPT);
        input.emit("data", "echo \x1b[1mbold\r");
        await output.waitFor("\n\x1b[1mbold\r\n");
        input.emit("data", new TextEncoder().encode("echo x\x1dignored"));
        assert.equal(await attached, "escape");
        assert.deepEqual(modes, [true, false]);
        assert.equal(input.listenerCount("data"), 0);
        const again = console.attach({ input, output });
        await vmm.kill();
        assert.equal(await again, "closed");
        assert.equal(input.listenerCount("data"), 0);
      }),
  );
}

/** A person's terminal. */
function terminal() {
  const modes: boolean[] = [];
  const input = Object.assign(new EventEmitter(), {
    isTTY: true,
    isRaw: false,
    setRawMode: (raw: boolean) => void modes.push(raw),
    resume: () => {},
    pause: () => {},
  });
  let text = "";
  let check = (): void => {};
  const output = {
    write(chunk: Uint8Array) {
      text += new TextDecoder().decode(chunk);
      check();
    },
    waitFor: (wanted: string) =>
      new Promise<void>((resolve) => {
        check = () => text.includes(wanted) && resolve();
        check();
      }),
  };
  return { input, output, modes };
}
