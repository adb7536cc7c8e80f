/** Finds the name that somebody meant. */

/** The nearest of the names, or undefined where none is near. */
export function nearest(
  given: string,
  names: readonly string[],
): string | undefined {
  const plain = fold(given);
  let best: string | undefined;
  let least = 1 + Math.floor(Math.max(plain.length, 3) / 3);
  for (const name of names) {
    const distance = edits(plain, fold(name));
    if (distance >= least) continue;
    best = name;
    least = distance;
  }
  return best;
}

/** Without what differs between ways of writing a name. */
function fold(name: string): string {
  // Longer ones are no slip of anybody's.
  return name.slice(0, 64).toLowerCase().replaceAll(/[-_ ]/g, "");
}

/** Insertions, deletions, changes and swaps of neighbours between two. */
function edits(from: string, to: string): number {
  let before: number[] = [];
  let above = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const line = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let least = Math.min(
        above[column]! + 1,
        line[column - 1]! + 1,
        above[column - 1]! + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 &&
        from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) least = Math.min(least, before[column - 2]! + 1);
      line.push(least);
    }
    before = above;
    above = line;
  }
  return above[to.length]!;
}
