/** The path of a value in JavaScript's notation, such as `disks[0].path`. */

/** A key or an index on the way to a value. */
export type Step = string | number;

export function pathOf(steps: readonly Step[]): string {
  let path = "";
  for (const step of steps) {
    if (typeof step === "number") path += `[${step}]`;
    else if (!NAME.test(step)) path += `[${JSON.stringify(step)}]`;
    else path += path === "" ? step : `.${step}`;
  }
  return path;
}

const NAME = /^[A-Za-z_$][\w$]*$/;
