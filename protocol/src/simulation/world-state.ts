import * as z from "zod";
import { base64, count } from "../wire/encoding.ts";

export type CertificateRole = "root" | "pckCa" | "pck" | "tcbSigner";
export type KeyRole = CertificateRole | "attestation";
/** Certificates that a world keeps; a PCK certificate is minted for each platform. */
export type KeptRole = Exclude<CertificateRole, "pck">;

export const jwk = z.strictObject({
  kty: z.literal("EC"),
  crv: z.literal("P-256"),
  x: z.string(),
  y: z.string(),
  d: z.string(),
});
/** What a devnet stores so that its world survives a restart. It holds private keys. */
export const worldStateSchema = z.strictObject({
  v: z.literal(1),
  createdAt: count,
  keys: z.strictObject({ root: jwk, pckCa: jwk, pck: jwk, tcbSigner: jwk, attestation: jwk }),
  certificates: z.strictObject({ root: base64, pckCa: base64, tcbSigner: base64 }),
});
export type WorldState = z.infer<typeof worldStateSchema>;
