/** The edit that makes the configuration of a clone from that of a snapshot. */
import { InvalidRequestError } from "../../errors/errors.ts";
import type { VmConfig } from "../../generated/types.gen.ts";
import { parse } from "../../json/json.ts";
import { assertSameDevices } from "./same_devices.ts";

/**
 * Changes the configuration of a snapshot, or returns another one, also as a
 * promise. {@linkcode ownPaths} creates an edit.
 */
export type ConfigEdit = (
  config: VmConfig,
) => VmConfig | void | Promise<VmConfig | void>;

/** Options of everything that takes a {@linkcode ConfigEdit}. */
export interface EditOptions {
  /**
   * Lets through an edit that the library refuses because the guest would not
   * notice it, or would lose a device. The VMM checks none of that.
   *
   * Default: `false`.
   */
  readonly unchecked?: boolean | undefined;
}

/**
 * Applies an edit to the text of config.json. Keys that this library does not
 * know stay, and so do 64-bit integers.
 *
 * @throws {InvalidRequestError} with the path of a change that no clone can
 * have.
 */
export async function applyEdit(
  text: string,
  edit: ConfigEdit,
  { unchecked = false }: EditOptions,
): Promise<VmConfig> {
  const config = parse(text) as VmConfig;
  const edited = await edit(config) ?? config;
  if (typeof edited !== "object") {
    throw new InvalidRequestError(
      "invalid_request",
      "config",
      `the edit returned a ${typeof edited} in place of a configuration`,
    );
  }
  if (!unchecked) assertSameDevices(parse(text), edited);
  return edited;
}
