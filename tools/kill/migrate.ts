/** A script that moves a VM by one call is ended at any moment. */
import { checkMove, moveAtOnce, prepareMove } from "./support/moves.ts";
import type { KillScenario } from "./support/scenario.ts";

export const scenario: KillScenario = {
  name: "migrate",
  script: new URL("programs/migrate.ts", import.meta.url),
  prepare: prepareMove,
  check: (work) => checkMove(work, moveAtOnce),
};
