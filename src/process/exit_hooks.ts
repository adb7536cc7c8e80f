/**
 * What has to be cleaned up when the script ends, however it ends. None of the
 * hooks fires everywhere: Deno has no `exit` after an error and only `unload`
 * after `Deno.exit`, Bun none but `exit` after a rejection.
 */
import process from "node:process";

/** Cleans up synchronously, any number of times. */
export type CleanUp = () => void;

/** Registers a clean-up; the result takes it back. */
export function onScriptExit(
  cleanUp: CleanUp,
  handleSignals: boolean,
): () => void {
  // Two registrations of one function are two.
  const entry: Entry = { cleanUp, handleSignals };
  if (registered.size === 0) addHooks();
  registered.add(entry);
  updateSignalListeners();
  return () => {
    if (!registered.delete(entry)) return;
    updateSignalListeners();
    if (registered.size === 0) removeHooks();
  };
}

interface Entry {
  readonly cleanUp: CleanUp;
  readonly handleSignals: boolean;
}

const registered = new Set<Entry>();

function addHooks(): void {
  process.on("exit", runAll);
  process.on("uncaughtExceptionMonitor", onUncaught);
  globalThis.addEventListener?.("unload", runAll);
}

function removeHooks(): void {
  process.off("exit", runAll);
  process.off("uncaughtExceptionMonitor", onUncaught);
  globalThis.removeEventListener?.("unload", runAll);
}

function runAll(): void {
  for (const { cleanUp } of registered) ignoreErrors(cleanUp);
}

/** A script that handles the exception goes on. */
function onUncaught(): void {
  if (process.listenerCount("uncaughtException") === 0) runAll();
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
let listening = false;

function updateSignalListeners(): void {
  const wanted = [...registered].some(({ handleSignals }) => handleSignals);
  if (wanted === listening) return;
  listening = wanted;
  for (const signal of SIGNALS) {
    if (wanted) process.on(signal, onSignal);
    else process.off(signal, onSignal);
  }
}

/** Cleans up and lets the signal do what it would have done. */
function onSignal(signal: NodeJS.Signals): void {
  for (const name of SIGNALS) process.off(name, onSignal);
  listening = false;
  // A script that listens too decides itself whether to end.
  const ends = process.listenerCount(signal) === 0;
  for (const { cleanUp, handleSignals } of registered) {
    if (ends || handleSignals) ignoreErrors(cleanUp);
  }
  if (ends) process.kill(process.pid, signal);
}

/** One that fails must not keep the others from theirs. */
function ignoreErrors(cleanUp: CleanUp): void {
  try {
    cleanUp();
  } catch {
    // The script is ending, and there is nobody to tell.
  }
}
