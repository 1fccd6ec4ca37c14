import * as z from "zod";
import { limits } from "../wire/limits.ts";
import { type Collateral, collateralSchema } from "./bundle.ts";
import { refusal } from "./error.ts";

/**
 * Collateral in dcap-qvl's JSON form, from a file or a service; nothing of it is verified.
 * @throws AttestationError COLLATERAL_TOO_LARGE, COLLATERAL_FIELD naming what is wrong
 */
export function readCollateral(text: string): Collateral {
  // twice a bundle: JSON escapes every line end of a chain
  if (text.length > 2 * limits.bundleBytes)
    throw refusal(
      "COLLATERAL_TOO_LARGE",
      `The collateral has ${text.length} characters, too many to be read.`,
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refusal("COLLATERAL_FIELD", "The collateral is not JSON.", cause);
  }
  // Newer forms carry the PCK chain as a tenth string; the quote has its own.
  const loose = z.looseObject({ pck_certificate_chain: z.unknown().optional() }).safeParse(value);
  const { pck_certificate_chain: _, ...rest } = loose.success ? loose.data : {};
  const parsed = collateralSchema.safeParse(loose.success ? rest : value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join(".") || (issue?.code === "unrecognized_keys" ? issue.keys.join(", ") : "");
  throw refusal(
    "COLLATERAL_FIELD",
    `The collateral is not the nine strings of dcap-qvl's JSON form${field && ` (${field})`}: ${issue?.message}.`,
  );
}
