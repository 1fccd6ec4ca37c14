import { limits } from "@bombyx/protocol/wire";
import { afterAll, describe, expect, test } from "vitest";
import { SchemaGuard } from "./schema-guard.ts";

const guard = new SchemaGuard(false);
afterAll(() => guard.close());

const nested = (depth: number): Record<string, unknown> =>
  depth === 0 ? { type: "null" } : { anyOf: [nested(depth - 1), nested(depth - 1)] };

/** Small, but laying its parts over each other takes seconds. */
const explosive = {
  allOf: Array.from({ length: 400 }, () => ({ $ref: "#/$defs/d" })),
  $defs: { d: { type: "object", required: Array.from({ length: 1_700 }, () => "a") } },
};

describe("SchemaGuard", () => {
  test("compiles every schema of a request", async () => {
    const grammars = await guard.compile([
      { schema: { type: "boolean" }, field: "tools" },
      { schema: { type: "null" }, field: "response_format" },
    ]);
    expect(grammars.map((grammar) => grammar.split("\n")[0])).toEqual(["root ::= boolean", "root ::= null"]);
  });

  test("refuses a schema above the limit, naming the field", async () => {
    const schema = { type: "string", description: "x".repeat(limits.schemaBytes) };
    await expect(guard.compile([{ schema, field: "tools" }])).rejects.toMatchObject({
      code: "BAD_REQUEST",
      field: "tools",
    });
  });

  test("names the field of the schema that is wrong", async () => {
    const sources = [
      { schema: { type: "boolean" }, field: "tools" },
      { schema: { type: "no such type" }, field: "response_format" },
    ] as const;
    await expect(guard.compile(sources)).rejects.toMatchObject({
      code: "BAD_REQUEST",
      field: "response_format",
    });
  });

  test("ends a compile that explodes, and compiles the next request", async () => {
    await expect(guard.compile([{ schema: explosive, field: "response_format" }])).rejects.toMatchObject({
      code: "BAD_REQUEST",
      field: "response_format",
      message: expect.stringContaining("longer than 50 ms"),
    });
    await expect(guard.compile([{ schema: nested(3), field: "response_format" }])).resolves.toHaveLength(1);
  });
});
