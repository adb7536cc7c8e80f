/** Scalars of JSON, and the error of a body that does not parse. */

/** A body that does not parse. The message ends with line and column. */
export class SerdeError extends Error {
  /** True if the message already has line and column. */
  readonly placed: boolean;

  constructor(message: string, placed = false) {
    super(message);
    this.placed = placed;
  }
}

/** A value that is neither a sequence nor a map. */
export interface Scalar {
  readonly kind: "null" | "boolean" | "integer" | "float" | "string";
  readonly value: null | boolean | number | bigint | string;
}
