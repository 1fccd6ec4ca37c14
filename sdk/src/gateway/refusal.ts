import { BombyxError, type errorBodySchema } from "@bombyx/protocol/wire";
import type * as z from "zod";

/** The error that a gateway's body, or a failure envelope, describes. */
export function refusal(body: z.infer<typeof errorBodySchema>["error"]): BombyxError {
  const { code, message, field, retryAfterMs, instead, totalNano } = body;
  return new BombyxError(code, message, {
    ...(field !== undefined && { field }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(instead !== undefined && { instead }),
    ...(totalNano !== undefined && { totalNano }),
  });
}
