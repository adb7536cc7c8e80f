/**
 * A value that a later release of the VMM returned and that these types do not
 * list. It can be sent back as it was read; a literal that is not listed is no
 * `UnknownEnumValue`.
 */
export type UnknownEnumValue = string & {
  /** Only a mark for the compiler; no value has this member. */
  readonly unknownEnumValue: true;
};
