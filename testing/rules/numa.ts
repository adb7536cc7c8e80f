import type { Config } from "../config.ts";
export function checkNuma(config: Config): void {
  void config;
}
