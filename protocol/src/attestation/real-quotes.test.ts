import { describe, expect, inject, test } from "vitest";
import { fromBase64, fromUtf8 } from "../wire/encoding.ts";
import {
  type AttestationReason,
  type Collateral,
  readCollateral,
  strictPolicy,
  verifyQuote,
} from "./index.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Files of the vectors folder by name, base64; empty when there is none. */
    readonly vectors: Readonly<Record<string, string>>;
  }
}

/** Intel's own quotes, wherever this runs: the same in Node and in a browser. */
const vectors = inject("vectors");
const bytes = (name: string) => fromBase64(vectors[name] ?? "");
const sample = (quote: string, collateral: string, at: string) => ({
  quote: bytes(quote),
  collateral: readCollateral(fromUtf8(bytes(collateral))),
  at: Date.parse(at),
});
const phala = (at = "2025-06-25T00:00:00Z") =>
  sample("phala_v4_b0c06f.quote.bin", "phala_v4_b0c06f.collateral.json", at);
const cocoon = () =>
  sample("cocoon_v4_90c06f.quote.bin", "intel_90c06f_2026-02.collateral.json", "2026-03-01T00:00:00Z");

/** The strict policy of the days on which the collateral was fetched. */
const policy = { ...strictPolicy, minTcbEvaluation: 17, collateralMaxAgeMs: 30 * 86_400_000 };
const verify = ({ quote, collateral, at }: ReturnType<typeof phala>) =>
  verifyQuote(quote, collateral, at, policy);
const refused = (verdict: Promise<unknown>, reason: AttestationReason) =>
  expect(verdict).rejects.toMatchObject({ reason });

describe.skipIf(Object.keys(vectors).length === 0)(
  "Intel's quotes (skipped without the vectors folder)",
  () => {
    test("are UpToDate on their days, in Node as in a browser", async () => {
      expect(await verify(phala())).toMatchObject({ tcb: { status: "UpToDate", evaluation: 17 } });
      expect(await verify(cocoon())).toMatchObject({
        simulated: false,
        quoteVersion: 4,
        tcb: { status: "UpToDate", evaluation: 18, fmspc: "90c06f000000" },
        imageHash: "04b3afd931d28680af91a15b09d672c40ad6b141f7f9089a8d67d595220f7436",
      });
    });

    test("are refused outside their days, on a browser's clock too", async () => {
      await refused(verify(phala("2025-08-25T00:00:00Z")), "CRL_EXPIRED");
      await refused(verify(phala("2025-06-01T00:00:00Z")), "CRL_NOT_YET_VALID");
      // a certificate that has expired: where others in browsers go on
      await refused(verify(phala("2049-01-01T00:00:00Z")), "CERT_EXPIRED");
      await refused(verify({ ...cocoon(), at: Number.NaN }), "TIME");
    });

    test("are refused with another machine's, stripped or forged documents", async () => {
      await refused(verify({ ...cocoon(), quote: phala().quote }), "FMSPC");
      await refused(verify({ ...cocoon(), quote: bytes("google_cos113_v4_00806f.quote.bin") }), "FMSPC");
      const changed = (change: Partial<Collateral>) => {
        const good = phala();
        return verify({ ...good, collateral: { ...good.collateral, ...change } });
      };
      await refused(changed({ pck_crl: "" }), "CRL_FORMAT");
      await refused(changed({ root_ca_crl: "" }), "CRL_FORMAT");
      const qe_identity = phala().collateral.qe_identity.replace('"isvprodid":2', '"isvprodid":3');
      await refused(changed({ qe_identity }), "QE_IDENTITY_SIGNATURE");
    });
  },
);
