/** A problem of a request. */

/** The kind of a problem. */
export type ProblemCode =
  /** A key that the VMM, or its release, does not know. The VMM ignores such a key. */
  | "unknown_key"
  /** A value of the wrong type, or a number that is not an exact integer. */
  | "wrong_type"
  /** A required key that is missing. */
  | "missing"
  /** A number or the length of a string is outside the valid range. */
  | "out_of_range"
  /** A string that the VMM, or its release, does not accept. */
  | "not_listed"
  /** Nested deeper than the VMM reads, or a circular reference. */
  | "too_deep"
  /** Values that are not valid together, or that the VMM refuses later. */
  | "broken_rule"
  /** A value that stops or hangs the VMM. The client refuses such a request, see `allowFatal`. */
  | "fatal"
  /** The release of the VMM does not have the operation. */
  | "unsupported";

/** A problem of a request. */
export interface Problem {
  /** The path of the value, such as `disks[0].path`; "" is the whole body. */
  readonly path: string;
  /** The kind of the problem. Stable: compare codes, never messages. */
  readonly code: ProblemCode;
  /** An explanation for people. It may change in any release. */
  readonly message: string;
  /**
   * The text to write instead: the valid key or string that is nearest, the place
   * to which a key moved, or a value of the right type as JSON.
   */
  readonly suggestion?: string;
}
