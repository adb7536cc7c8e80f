/** Stands between clients and a VMM, and tells of each whole request. */
import { connect, createServer, type Socket } from "node:net";

export interface Proxy {
  readonly open: () => number;
  /** Resolves when no connection is open. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

export async function startProxy(
  path: string,
  vmmPath: string,
  saw: (request: string) => void,
): Promise<Proxy> {
  const open = new Set<Socket>();
  const waiting = new Set<() => void>();

  const server = createServer((near) => {
    const far = connect(vmmPath);
    open.add(near);
    let text = "";
    near.on("data", (chunk) => {
      far.write(chunk);
      text += chunk.toString("latin1");
      const end = wholeAt(text);
      if (end === undefined) return;
      saw(text.slice(0, end));
      text = text.slice(end);
    });
    far.on("data", (chunk) => near.write(chunk));
    for (const [one, other] of [[near, far], [far, near]] as const) {
      one.on("error", () => other.destroy());
      one.on("end", () => other.end());
      one.on("close", () => other.destroy());
    }
    near.on("close", () => {
      open.delete(near);
      if (open.size === 0) waiting.forEach((resume) => resume());
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));

  return {
    open: () => open.size,
    idle: () =>
      new Promise((resolve) => {
        if (open.size === 0) return resolve();
        waiting.add(resolve);
      }),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function wholeAt(text: string): number | undefined {
  const head = text.indexOf("\r\n\r\n");
  if (head < 0) return undefined;
  const length = /^content-length: *(\d+)/im.exec(text.slice(0, head))?.[1];
  const end = head + 4 + Number(length ?? 0);
  return text.length < end ? undefined : end;
}
