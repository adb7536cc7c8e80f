/**
 * What has to be cleaned up when the script ends, however it ends. None of the
 * hooks fires everywhere: Deno has no `exit` after an error and only `unload`
 * after `Deno.exit`, Bun none but `exit` after a rejection.
 */
import process from "node:process";

/** Cleans up synchronously, any number of times. */
export type CleanUp = () => void;

/** Registers a clean-up; the result takes it back. */
export function own(cleanUp: CleanUp, handleSignals: boolean): () => void {
  // Two registrations of one function are two.
  const entry: Entry = { cleanUp, handleSignals };
  if (owned.size === 0) hook();
  owned.add(entry);
  listen();
  return () => {
    if (!owned.delete(entry)) return;
    listen();
    if (owned.size === 0) unhook();
  };
}

interface Entry {
  readonly cleanUp: CleanUp;
  readonly handleSignals: boolean;
}

const owned = new Set<Entry>();

function hook(): void {
  process.on("exit", cleanUpAll);
  process.on("uncaughtExceptionMonitor", onUncaught);
  globalThis.addEventListener?.("unload", cleanUpAll);
}

function unhook(): void {
  process.off("exit", cleanUpAll);
  process.off("uncaughtExceptionMonitor", onUncaught);
  globalThis.removeEventListener?.("unload", cleanUpAll);
}

function cleanUpAll(): void {
  for (const { cleanUp } of owned) tried(cleanUp);
}

/** A script that handles the exception goes on. */
function onUncaught(): void {
  if (process.listenerCount("uncaughtException") === 0) cleanUpAll();
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
let listening = false;

function listen(): void {
  const wanted = [...owned].some(({ handleSignals }) => handleSignals);
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
  for (const { cleanUp, handleSignals } of owned) {
    if (ends || handleSignals) tried(cleanUp);
  }
  if (ends) process.kill(process.pid, signal);
}

/** One that fails must not keep the others from theirs. */
function tried(cleanUp: CleanUp): void {
  try {
    cleanUp();
  } catch {
    // The script is ending, and there is nobody to tell.
  }
}
