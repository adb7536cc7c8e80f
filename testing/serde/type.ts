/** The types of the VMM's own deserializer. */

/** The type of a value. */
export type Type =
  | IntegerType
  | StringType
  | EnumType
  | StructType
  | { readonly kind: "boolean" }
  | { readonly kind: "any" }
  | { readonly kind: "list"; readonly of: Type }
  | { readonly kind: "option"; readonly of: Type };

export interface IntegerType {
  readonly kind: "integer";
  /** The name of the type in Rust. */
  readonly name: string;
  readonly min: bigint;
  readonly max: bigint;
  readonly nonzero: boolean;
}

export interface StringType {
  readonly kind: "string";
  readonly expected: string;
  readonly check: ((text: string) => string | undefined) | undefined;
  readonly normalize: ((text: string) => string) | undefined;
}

export interface EnumType {
  readonly kind: "enum";
  readonly variants: readonly string[];
}

export interface StructType {
  readonly kind: "struct";
  readonly name: string;
  readonly fields: readonly Field[];
  /** Fields by key, aliases included. */
  readonly byKey: ReadonlyMap<string, Field>;
  /** True if unknown keys are refused. */
  readonly strict: boolean;
  /** True if some fields belong to a flattened struct; then arrays are refused. */
  readonly flat: boolean;
}

export interface Field {
  readonly name: string;
  readonly type: Type;
  readonly required: boolean;
  /** The default. */
  readonly fallback: unknown;
  /** True if the field belongs to a flattened struct. */
  readonly flat: boolean;
  /** True if an array may end before this field. */
  readonly padded: boolean;
  /** True if the field holds file descriptors, which are replaced by -1. */
  readonly descriptor: boolean;
  /** When `vm.info` has the field: the value of `x-returned`. */
  readonly returned: string;
}
