/**
 * Looks requests over before they are sent, and gives their JSON Schema.
 *
 * @module
 */
export { jsonSchema } from "./schema/document.ts";
export type { JsonSchema } from "./generated/documents.gen.ts";
export type { Problem, ProblemCode } from "./schema/problem.ts";
export type { RequestName } from "./generated/requests.gen.ts";
export { validate } from "./schema/validate.ts";
