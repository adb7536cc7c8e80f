/** Reads OpenAPI files, such as that of upstream. */
import { parse } from "yaml";
import { type Data, type Fact, facts } from "./spec_model.ts";

/** Keeps the check from its work; the message says it in one line. */
export class DriftError extends Error {}

/** The file, or nothing where it cannot be had now. */
export async function fetchBytes(
  url: string,
  patienceMs: number,
): Promise<Uint8Array | undefined> {
  try {
    const signal = AbortSignal.timeout(patienceMs);
    const answer = await fetch(url, { signal });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    if (answer.status === 404) {
      throw new DriftError(`${url}: there is no such file`);
    }
    return answer.ok ? bytes : undefined;
  } catch (error) {
    if (error instanceof DriftError) throw error;
    return undefined;
  }
}

/** The content of an OpenAPI file. */
export function specFacts(bytes: Uint8Array, name: string): Fact {
  return withContext(name, () => {
    const text = new TextDecoder().decode(bytes);
    const { paths, components, ...rest } = (parse(text, PARSING) ?? {}) as Data;
    if (!paths || !components) throw new Error("no OpenAPI document");
    return facts({ paths, components, ...rest });
  });
}

/** 64-bit bounds are exact as bigints only. */
const PARSING = { intAsBigInt: true, logLevel: "error" } as const;

/** Does it, or says in one line what of `subject` was in the way. */
export function withContext<T>(subject: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const [reason] = `${error instanceof Error ? error.message : error}`.split(
      "\n",
    );
    throw new DriftError(`${subject}: ${reason}`);
  }
}
