import type { Machine } from "../machine.ts";
export function receive(machine: Machine): void {
  void machine;
}
export function send(machine: Machine): void {
  void machine;
}
