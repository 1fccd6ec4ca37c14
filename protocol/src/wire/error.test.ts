import { describe, expect, it } from "vitest";
import {
  BombyxError,
  type ErrorCode,
  errorBodySchema,
  errorStatus,
  sealedErrorSchema,
  sealedHeadSchema,
  sealedRequestSchema,
} from "./index.ts";

describe("an error that crosses a wire", () => {
  it.each(Object.keys(errorStatus) as ErrorCode[])("%s reads back with its status", (code) => {
    const error = new BombyxError(code, "What was wrong.", { retryAfterMs: 500, instead: "ab".repeat(32) });
    const { error: body } = errorBodySchema.parse(JSON.parse(JSON.stringify({ error })));
    expect(body).toEqual({ code, message: "What was wrong.", retryAfterMs: 500, instead: "ab".repeat(32) });
    expect(error.status).toBe(errorStatus[code]);
    expect(error.status).toBeGreaterThanOrEqual(400);
  });

  it("does not tell its cause", () => {
    const error = new BombyxError("INTERNAL", "Something broke.", { cause: new Error("a secret path") });
    expect(JSON.stringify({ error })).not.toContain("secret");
    expect(error.cause).toEqual(new Error("a secret path"));
  });

  it.each(["toString", "constructor", "__proto__", "NO_SUCH_CODE", 7])("has no code %j", (code) => {
    expect(errorBodySchema.safeParse({ error: { code, message: "x" } }).success).toBe(false);
    expect(sealedErrorSchema.safeParse({ code, message: "x" }).success).toBe(false);
    expect(sealedErrorSchema.safeParse({ code: "EPOCH", message: "x" }).success).toBe(true);
  });
});

describe("the clear head of a sealed request", () => {
  const head = { idempotencyId: "1d".repeat(16), priceId: "2c".repeat(16), maxTokens: 1_024 };

  it("declares its maximum in a bucket, so that the exact number stays sealed", () => {
    expect(sealedHeadSchema.safeParse(head).success).toBe(true);
    for (const maxTokens of [0, 1_000, 65_537]) {
      expect(sealedHeadSchema.safeParse({ ...head, maxTokens }).success).toBe(false);
    }
  });
});

describe("the inside of a sealed request", () => {
  const inside = {
    endpoint: "chat.completions",
    body: { model: "spark", messages: [] },
    idempotencyId: "1d".repeat(16),
    priceId: "2c".repeat(16),
    coefficient: 1_000,
    ceilingUnits: 640,
    tickMs: 80,
  };

  it("takes the two ticks and no other, and no unknown field", () => {
    expect(sealedRequestSchema.safeParse(inside).success).toBe(true);
    expect(sealedRequestSchema.safeParse({ ...inside, tickMs: 0 }).success).toBe(true);
    expect(sealedRequestSchema.safeParse({ ...inside, tickMs: 40 }).success).toBe(false);
    expect(sealedRequestSchema.safeParse({ ...inside, user: "someone" }).success).toBe(false);
  });
});
