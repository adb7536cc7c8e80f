/** A JSON Schema of draft 2020-12, with the keywords that requests need. */
export interface JsonSchema {
  /** The draft. Only in the outermost schema. */
  readonly $schema?: string;
  /** A reference to a schema of `$defs`: `#/$defs/<name>`. */
  readonly $ref?: string;
  /** The schemas by name. Only in the outermost schema. */
  readonly $defs?: { readonly [name: string]: JsonSchema };
  /** The name of the schema. */
  readonly title?: string;
  /** The meaning of the value, with its unit. */
  readonly description?: string;
  /** One type of JSON or several; `integer` is one of them. */
  readonly type?: string | readonly string[];
  /** The members of an object. */
  readonly properties?: { readonly [name: string]: JsonSchema };
  /** The names of the members that an object must have. */
  readonly required?: readonly string[];
  /** Always false: the VMM ignores all other members. */
  readonly additionalProperties?: boolean;
  /** The schema of each item of a list. */
  readonly items?: JsonSchema;
  /** A reference, or null. */
  readonly anyOf?: readonly JsonSchema[];
  /** Members that are aliases of each other, so that only one may be given. */
  readonly not?: JsonSchema;
  /** The strings that the VMM accepts. */
  readonly enum?: readonly string[];
  /** The smallest number. */
  readonly minimum?: number;
  /** The largest number; 2^64 stands for 2^64-1. */
  readonly maximum?: number;
  /** The smallest number of characters. */
  readonly minLength?: number;
  /** The largest number of characters. */
  readonly maxLength?: number;
  /** The value that the VMM uses if none is given. */
  readonly default?: unknown;
  /** True for a member that has a better name. */
  readonly deprecated?: boolean;
}
