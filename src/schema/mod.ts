/**
 * Validates requests before they are sent, and returns their JSON Schema.
 *
 * @module
 */
export { jsonSchema, type JsonSchemaOptions } from "./json_schema.ts";
export type { JsonSchema } from "../generated_support/json_schema.ts";
export type { Problem, ProblemCode } from "./problem.ts";
export type { RequestName } from "../generated/requests.gen.ts";
export { validate, type ValidateOptions } from "./validate.ts";
