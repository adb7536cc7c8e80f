/** An object whose undefined members are absent. */
export type Given<T> =
  & { [key in keyof T as undefined extends T[key] ? never : key]: T[key] }
  & {
    [key in keyof T as undefined extends T[key] ? key : never]?: Exclude<
      T[key],
      undefined
    >;
  };

/** A copy without the members that are undefined. */
export function given<T extends object>(all: T): Given<T> {
  const entries = Object.entries(all);
  return Object.fromEntries(
    entries.filter(([, value]) => value !== undefined),
  ) as Given<T>;
}
