/** What is wrong with a request. */

/** What kind of rule it breaks. */
export type ProblemCode =
  /** A key that the VMM does not know, and so would lose without a word. */
  | "unknown_key"
  /** A value of another type, or a number that is no exact integer. */
  | "wrong_type"
  /** A key that has to be there. */
  | "missing"
  /** A number or a text outside its bounds. */
  | "out_of_range"
  /** A text that is none of those that may stand there. */
  | "not_listed"
  /** Nested deeper than the VMM reads, or without an end. */
  | "too_deep"
  /** Values that do not go together, or that the VMM refuses at boot. */
  | "broken_rule"
  /** What would stop the VMM; the client refuses it, see `allowFatal`. */
  | "fatal";

/** Something that is wrong with a request. */
export interface Problem {
  /** The value it is about, as `disks[0].path`; "" is the whole request. */
  readonly path: string;
  /** What kind of rule is broken. Stable, made to be compared. */
  readonly code: ProblemCode;
  /** The rule in words, for people; may change with any release. */
  readonly message: string;
  /** The known key, or the listed text, that is nearest to what was given. */
  readonly suggestion?: string;
}
