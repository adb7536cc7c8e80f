/** Checks arguments that are paths of files, directories and sockets. */
import { InvalidRequestError } from "../errors/errors.ts";

/**
 * Returns `path` if a system call can take it as it stands. Users who know the
 * VMM's API write URLs, which a system call takes as relative paths.
 *
 * @throws {InvalidRequestError} with `field` when it is no text, is empty,
 * contains a NUL or is a URL.
 */
export function checkPath(field: string, path: unknown): string {
  const problem = problemOf(path);
  if (problem !== undefined) {
    throw new InvalidRequestError("invalid_request", field, problem);
  }
  return path as string;
}

/** The reason why a value is not a path; `undefined` if it is a path. */
export function problemOf(path: unknown): string | undefined {
  if (path instanceof URL) return urlProblem(path.href);
  if (typeof path !== "string") {
    return `takes a path, not ${path === null ? "null" : typeof path}`;
  }
  if (path === "") return "the path is empty";
  if (path.includes("\0")) return "the path contains a NUL";
  return URL_LIKE.test(path) ? urlProblem(path) : undefined;
}

function urlProblem(url: string): string {
  const path = /^[a-z]+:(?:\/\/)?(\/.*)$/i.exec(url)?.[1];
  const isFile = /^(file|unix):/i.test(url);
  const advice = isFile && path ? `; write ${JSON.stringify(path)}` : "";
  return `takes a path, not the URL ${JSON.stringify(url)}${advice}`;
}

/** A relative path that begins so can be written with "./" before it. */
const URL_LIKE = /^([a-z][a-z\d+.-]*:\/\/|(fd|file|https?|tcp|unix|vsock):)/i;
