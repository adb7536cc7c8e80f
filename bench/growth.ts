/** How the cost of polling grows with the VMMs that are polled. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Plan } from "./plan.ts";
import type { Load } from "./poll.ts";
import { output, type Runtime } from "./runtimes.ts";

/** Polls more and more fakes, which run in a process of their own. */
export async function growth(runtime: Runtime, plan: Plan): Promise<Load[]> {
  const most = Math.max(...plan.crowds);
  const crowd = fileURLToPath(new URL("./crowd.ts", import.meta.url));
  const [program, ...args] = runtime.command(crowd, String(most));
  const child = spawn(program!, args, { stdio: ["pipe", "pipe", "inherit"] });
  const closed = once(child, "close");
  try {
    const [line] = await once(createInterface(child.stdout), "line");
    const sockets = JSON.parse(line) as string[];
    const loads: Load[] = [];
    for (const count of plan.crowds) {
      const some = sockets.slice(0, count);
      loads.push(
        await output<Load>(runtime, "poll.ts", `${plan.seconds}`, ...some),
      );
    }
    return loads;
  } finally {
    child.stdin.end();
    await closed;
  }
}
