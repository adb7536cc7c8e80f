/**
 * Clean-ups at the end of the script. No hook runs at every end: Deno has no
 * `exit` event after an error and only `unload` after `Deno.exit`; Bun has only
 * `exit` after a rejection.
 */
import process from "node:process";

/**
 * The reaction to SIGINT, SIGTERM and SIGHUP: clean up at once, stop
 * gracefully, or leave the signal to the script.
 */
export type OnSignal = "kill" | "stop" | "ignore";

export interface ExitHook {
  readonly onSignal: OnSignal;
  /** Cleans up synchronously, any number of times. */
  cleanUp(): void;
  /** Stops gracefully, for `onSignal: "stop"`. */
  stop(): Promise<unknown>;
}

/** Registers a hook; the returned function removes it. */
export function onScriptExit(hook: ExitHook): () => void {
  if (registered.size === 0) addHooks();
  registered.add(hook);
  updateSignalListeners();
  return () => {
    if (!registered.delete(hook)) return;
    updateSignalListeners();
    if (registered.size === 0) removeHooks();
  };
}

const registered = new Set<ExitHook>();

function addHooks(): void {
  process.on("exit", cleanUpAll);
  process.on("uncaughtExceptionMonitor", onUncaught);
  globalThis.addEventListener?.("unload", cleanUpAll);
}

function removeHooks(): void {
  process.off("exit", cleanUpAll);
  process.off("uncaughtExceptionMonitor", onUncaught);
  globalThis.removeEventListener?.("unload", cleanUpAll);
}

function cleanUpAll(): void {
  for (const hook of registered) cleanUpQuietly(hook);
}

/** A script with a handler for uncaught exceptions goes on. */
function onUncaught(): void {
  if (process.listenerCount("uncaughtException") === 0) cleanUpAll();
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
let isListening = false;
/** True between a first signal and the end of the graceful stops. */
let isStopping = false;

function updateSignalListeners(): void {
  const wanted = [...registered].some(({ onSignal }) => onSignal !== "ignore");
  if (isStopping || wanted === isListening) return;
  listen(wanted);
}

function listen(wanted: boolean): void {
  isListening = wanted;
  for (const signal of SIGNALS) {
    if (wanted) process.on(signal, onSignal);
    else process.off(signal, onSignal);
  }
}

function onSignal(signal: NodeJS.Signals): void {
  const hooks = [...registered];
  for (const hook of hooks) if (hook.onSignal === "kill") cleanUpQuietly(hook);
  const stopping = hooks.filter((hook) => hook.onSignal === "stop");
  if (isStopping || stopping.length === 0) {
    // A second signal does not wait for the graceful stops.
    stopping.forEach(cleanUpQuietly);
    return finish(signal);
  }
  isStopping = true;
  void Promise.allSettled(stopping.map((hook) => hook.stop())).then(() => {
    // A second signal may have finished before.
    if (isStopping) finish(signal);
  });
}

/** Ends the script by the signal, unless the script listens to it, too. */
function finish(signal: NodeJS.Signals): void {
  isStopping = false;
  listen(false);
  if (process.listenerCount(signal) > 0) return updateSignalListeners();
  cleanUpAll();
  process.kill(process.pid, signal);
}

/** A clean-up that fails must not prevent the others. */
function cleanUpQuietly(hook: ExitHook): void {
  try {
    hook.cleanUp();
  } catch {
    // The script is ending; nobody can handle the error.
  }
}
