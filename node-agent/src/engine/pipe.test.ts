import { expect, it } from "vitest";
import { fromEngineSchema } from "./pipe.ts";

it("an engine's failure has a code of the protocol, not a name that every object has", () => {
  const failed = (code: string) => ({ type: "failed", id: 0, error: { code, message: "It failed." } });
  expect(fromEngineSchema.safeParse(failed("NODE_FAILED")).success).toBe(true);
  for (const code of ["toString", "constructor", "__proto__", "NO_SUCH_CODE"]) {
    expect(fromEngineSchema.safeParse(failed(code)).success).toBe(false);
  }
});
