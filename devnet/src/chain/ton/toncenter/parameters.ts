import { Address, Cell } from "@ton/core";
import * as z from "zod";

/** GET sends text, JSON-RPC what it likes: both are taken. */
export const count = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

export const address = z.string().transform((text, context) => {
  try {
    return Address.parse(text);
  } catch {
    context.addIssue(`${text.slice(0, 80)} is not an address: expected the friendly form or 0:hex`);
    return z.NEVER;
  }
});

/** Hex or base64 of 32 bytes; given on as hex. */
export const hash = z.string().transform((text, context) => {
  const hex = /^[0-9a-fA-F]{64}$/.test(text)
    ? text.toLowerCase()
    : Buffer.from(text, "base64").toString("hex");
  if (hex.length === 64) return hex;
  context.addIssue("expected 32 bytes in hex or base64");
  return z.NEVER;
});

export const boc = z
  .base64()
  .min(1)
  .transform((text) => Buffer.from(text, "base64"));

/** Absent when the text is empty. */
export const optionalCell = z
  .string()
  .default("")
  .transform((text, context) => {
    if (text === "") return undefined;
    try {
      return Cell.fromBase64(text);
    } catch (error) {
      context.addIssue(`no BoC: ${error instanceof Error ? error.message : String(error)}`);
      return z.NEVER;
    }
  });

export const flag = z.union([z.boolean(), z.stringbool()]);
