/** Calls `count` times, `width` at once, as a client does by itself. */
export async function lanes(
  count: number,
  width: number,
  call: () => Promise<unknown>,
): Promise<void> {
  let left = count;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: width }, lane));
}
