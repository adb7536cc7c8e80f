/** A field that makes a request fatal. */
export interface FatalField {
  /** The path of the field in the body. */
  field: string;
  /** The effect of the field on the VMM. */
  reason: string;
}

/** A field that ends the VMM process. */
export function stops(field: string, what: string): FatalField {
  return { field, reason: `${what} stops the VMM` };
}

/** A field after which the VMM answers no request. */
export function hangs(field: string, what: string): FatalField {
  return { field, reason: `${what} hangs the VMM` };
}
