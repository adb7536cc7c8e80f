/** Keywords of the spec that no JSON Schema has. */
export interface WireKeywords {
  /** The integer type of the VMM, such as `uint16`. */
  readonly format?: string;
  /** `uint16` and so on of each item of a list. */
  readonly items?: WireKeywords;
  /** The keywords of the members of an object. */
  readonly properties?: { readonly [name: string]: WireKeywords };
  /** True where the VMM refuses unknown members. */
  readonly strict?: boolean;
  /** When `vm.info` returns the member. */
  readonly "x-returned"?: string;
  /** The first release that knows the member. */
  readonly "x-since"?: string;
  /** The first release that knows each of these strings. */
  readonly "x-since-values"?: { readonly [value: string]: string };
  /** The first release that does not know the member. */
  readonly "x-until"?: string;
  /** The first release that does not require the member. */
  readonly "x-optional-since"?: string;
  /** The first release in which the member may be null. */
  readonly "x-null-since"?: string;
  /** Another default, which releases before `until` have. */
  readonly "x-old-default"?: {
    readonly until: string;
    readonly value: unknown;
  };
  /** The feature of the build that has the member. */
  readonly "x-feature"?: string;
  /** True where the deserialiser of the VMM refuses 0. */
  readonly "x-nonzero"?: boolean;
  /** The member that this name is another spelling of. */
  readonly "x-alias-of"?: string;
}
