/** A script that moves a VM in parts is ended at any moment. */
import { checkMove, moveInParts, prepareMove } from "./support/moves.ts";
import type { KillScenario } from "./support/scenario.ts";

export const scenario: KillScenario = {
  name: "migrate_parts",
  script: new URL("programs/migrate_parts.ts", import.meta.url),
  prepare: prepareMove,
  check: (work) => checkMove(work, moveInParts),
};
