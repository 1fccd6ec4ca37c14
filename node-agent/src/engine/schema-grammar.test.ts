import { describe, expect, test } from "vitest";
import { SchemaError, schemaGrammar } from "./schema-grammar.ts";

const strict = (schema: Record<string, unknown>): string =>
  schemaGrammar(schema, { lenient: false, brief: false });
const refusal = (schema: Record<string, unknown>): string => {
  try {
    strict(schema);
  } catch (error) {
    if (error instanceof SchemaError) return error.message;
    throw error;
  }
  return "accepted";
};

describe("schemaGrammar", () => {
  test("accepts the keywords that it enforces", () => {
    const accepted = {
      type: "object",
      properties: {
        name: { type: "string", minLength: 1, maxLength: 20, description: "annotation" },
        age: { type: "integer", minimum: 0 },
        kind: { enum: ["a", "b", null] },
        tags: { type: "array", items: { type: "string" }, minItems: 1, maxItems: 3 },
        parent: { anyOf: [{ $ref: "#" }, { type: "null" }] },
        born: { type: "string", format: "date" },
      },
      required: ["name"],
      additionalProperties: false,
    };
    expect(refusal(accepted)).toBe("accepted");
  });

  test.each([
    ["pattern", { type: "string", pattern: "^a" }],
    ["multipleOf", { type: "number", multipleOf: 3 }],
    ["uniqueItems", { type: "array", uniqueItems: true }],
    ["not", { not: { type: "string" } }],
    ["patternProperties", { type: "object", patternProperties: {} }],
  ])("refuses %s by name, since no grammar here enforces it", (keyword, schema) => {
    expect(refusal({ type: "object", properties: { field: schema } })).toContain(
      `schema.properties.field uses "${keyword}"`,
    );
    expect(() => schemaGrammar(schema, { lenient: true, brief: false })).not.toThrow();
  });

  test.each([
    ["a bounded number", { type: "integer", minimum: 3, maximum: 9 }, "bounds a number"],
    ["a repetition without measure", { type: "string", maxLength: 1e9 }, "integer from 0 to 1000"],
    [
      "a required property that is not there",
      { type: "object", properties: { a: {} }, required: ["b"] },
      '"b"',
    ],
    ["a reference that leaves the document", { $ref: "https://example.org/x" }, "leaves the document"],
    ["a reference to nothing", { $ref: "#/$defs/x" }, "not there"],
    ["an unknown type", { type: "date" }, "JSON does not have"],
    ["no alternative", { enum: [] }, "no alternative"],
  ])("refuses %s", (_, schema, why) => {
    expect(refusal(schema)).toContain(why);
  });

  test("refuses nesting without measure", () => {
    let schema: Record<string, unknown> = { type: "string" };
    for (let depth = 0; depth < 40; depth += 1) schema = { type: "array", items: schema };
    expect(refusal(schema)).toContain("nested deeper");
  });
});
