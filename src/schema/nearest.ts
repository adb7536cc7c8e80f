/** Finds the name that is nearest to a misspelt name. */

/** The nearest of the names, or undefined if no name is near. */
export function nearest(
  misspelt: string,
  names: readonly string[],
): string | undefined {
  const folded = fold(misspelt);
  let best: string | undefined;
  let least = 1 + Math.floor(Math.max(folded.length, 3) / 3);
  for (const name of names) {
    const distance = editDistance(folded, fold(name));
    if (distance >= least) continue;
    best = name;
    least = distance;
  }
  return best;
}

/** Removes differences such as camel case, dashes and blanks. */
function fold(name: string): string {
  // A longer name is not a misspelt one, and the distance takes long.
  return name.slice(0, 64).toLowerCase().replaceAll(/[-_ ]/g, "");
}

/** Counts insertions, deletions, changes and swaps of neighbours. */
function editDistance(from: string, to: string): number {
  let secondLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const line = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let least = Math.min(
        last[column]! + 1,
        line[column - 1]! + 1,
        last[column - 1]! + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 &&
        from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) least = Math.min(least, secondLast[column - 2]! + 1);
      line.push(least);
    }
    secondLast = last;
    last = line;
  }
  return last[to.length]!;
}
