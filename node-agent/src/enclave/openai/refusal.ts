import { BombyxError } from "@bombyx/protocol/wire";
import type * as z from "zod";

/** `["messages", 0, "content"]` as a person writes it: `messages[0].content`. */
export function fieldPath(path: readonly PropertyKey[]): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else text += text === "" ? String(key) : `.${String(key)}`;
  }
  return text;
}

export function badField(field: string, message: string): BombyxError {
  return new BombyxError("BAD_REQUEST", `${field}: ${message}`, { field });
}

/** The first thing wrong with a body, as a refusal that names its field. */
export function refusalOf(error: z.ZodError): BombyxError {
  const issue = error.issues[0];
  if (!issue) return new BombyxError("BAD_REQUEST", "The request body is not valid.");
  if (issue.code === "unrecognized_keys") {
    const field = fieldPath([...issue.path, issue.keys[0] ?? ""]);
    return new BombyxError("UNKNOWN_FIELD", `${field} is not supported; leave it out.`, { field });
  }
  return badField(fieldPath(issue.path) || "body", issue.message);
}
