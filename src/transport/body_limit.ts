/** Keeps an answer without end from filling the memory. */

/** No answer of the API comes near it; what is larger is not the VMM's. */
export const MAX_BODY_BYTES: number = 64 * 1024 * 1024;

/** A body went over the bound. */
export class OversizeError extends Error {
  constructor() {
    super(`The body has more than ${MAX_BODY_BYTES} bytes`);
  }
}

/** The response as it is where it says that it is small; else a copy. */
export function bounded(response: Response): Response | Promise<Response> {
  const length = response.headers.get("content-length");
  if (length !== null && Number(length) <= MAX_BODY_BYTES) return response;
  return response.body === null ? response : copy(response, response.body);
}

async function copy(
  response: Response,
  body: ReadableStream<Uint8Array>,
): Promise<Response> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  // Leaving the loop by a throw cancels the body.
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new OversizeError();
    chunks.push(chunk as Uint8Array<ArrayBuffer>);
  }
  return new Response(new Blob(chunks), response);
}
