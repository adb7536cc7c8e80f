import type { Config } from "../config.ts";
export function checkMemory(config: Config): void {
  void config;
}
