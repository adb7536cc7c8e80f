/**
 * Looks requests over before they are sent, and gives their JSON Schema.
 *
 * @module
 */
export { jsonSchema } from "./json_schema.ts";
export type { JsonSchema } from "../generated/documents.gen.ts";
export type { Problem, ProblemCode } from "./problem.ts";
export type { RequestName } from "../generated/requests.gen.ts";
export { validate } from "./validate.ts";
