import * as z from "zod";
import { base64, hex } from "../wire/encoding.ts";
import { modelManifestSchema } from "./statement.ts";

/** Collateral in the JSON form that dcap-qvl uses: nine strings. */
export const collateralSchema = z.strictObject({
  pck_crl_issuer_chain: z.string(),
  root_ca_crl: z.string(),
  pck_crl: z.string(),
  tcb_info_issuer_chain: z.string(),
  tcb_info: z.string(),
  tcb_info_signature: z.string(),
  qe_identity_issuer_chain: z.string(),
  qe_identity: z.string(),
  qe_identity_signature: z.string(),
});
export type Collateral = z.infer<typeof collateralSchema>;

/** PROTOCOL §3. Served by the gateway, trusted by nobody, immutable under its attestation id. */
export const bundleSchema = z.strictObject({
  v: z.literal(1),
  tee: z.literal("tdx"),
  quote: base64,
  /** The exact statement bytes. */
  statement: base64,
  collateral: collateralSchema,
  link: z.strictObject({ linkPk: hex.b32, payout: z.string().min(1).max(128), signature: hex.b64 }),
  /** Documents that the statement names by hash travel with it. */
  manifests: z.array(modelManifestSchema).max(32),
  /** NVIDIA evidence, base64, or null when `gpu.mode` is not `cc`. */
  gpu: base64.nullable(),
  /** Signed release manifest; null until there is a release. */
  release: z.null(),
});
export type Bundle = z.infer<typeof bundleSchema>;
