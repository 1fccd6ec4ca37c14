import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AsnConvert } from "@peculiar/asn1-schema";
import { Certificate, CertificateList } from "@peculiar/asn1-x509";
import { QuoteVerifier } from "@phala/dcap-qvl";
import { describe, expect, test } from "vitest";
import { fromHex, toBase64, toHex } from "../wire/encoding.ts";
import { parsePemChain } from "./certificate.ts";
import { parseCrl } from "./crl.ts";
import {
  type AttestationPolicy,
  type AttestationReason,
  appraise,
  collateralSchema,
  encodeBundle,
  intelRoot,
  type MeasurementRow,
  strictPolicy,
  verifyQuote,
} from "./index.ts";

const folder = process.env.BOMBYX_VECTORS ?? "";
const absent = !existsSync(join(folder, "tdx"));
if (absent && process.env.CI === "true") throw new Error("BOMBYX_VECTORS names no folder with tdx/ and sim/");

const bytes = (name: string) => new Uint8Array(readFileSync(join(folder, name)));
const collateral = (name: string) =>
  collateralSchema.parse(JSON.parse(readFileSync(join(folder, name), "utf8")));
const sha256 = async (data: Uint8Array<ArrayBuffer>) =>
  toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", data)));
const dayMs = 86_400_000;

const phala = () => ({
  quote: bytes("tdx/phala_v4_b0c06f.quote.bin"),
  collateral: collateral("tdx/phala_v4_b0c06f.collateral.json"),
  at: Date.UTC(2025, 5, 25),
});
const cocoon = () => ({
  quote: bytes("tdx/cocoon_v4_90c06f.quote.bin"),
  collateral: collateral("tdx/intel_90c06f_2026-02.collateral.json"),
  at: Date.UTC(2026, 2, 1),
});
type Vector = ReturnType<typeof phala>;

/** The strict policy of the days on which the collateral was fetched. */
const policyOfThen: AttestationPolicy = {
  ...strictPolicy,
  minTcbEvaluation: 17,
  collateralMaxAgeMs: 30 * dayMs,
  registry: "none",
};
const verify = ({ quote, collateral, at }: Vector, policy = policyOfThen) =>
  verifyQuote(quote, collateral, at, policy);
const refused = (verdict: Promise<unknown>, reason: AttestationReason) =>
  expect(verdict).rejects.toMatchObject({ name: "AttestationError", reason });

describe.skipIf(absent)("real Intel TDX quotes (skipped without the vectors folder)", () => {
  test("the pinned root is Intel's certificate", async () => {
    const der = bytes("tdx/IntelSGXRootCA.der");
    expect(await sha256(der)).toBe(intelRoot.sha256);
    const [root] = parsePemChain(
      `-----BEGIN CERTIFICATE-----\n${toBase64(der)}\n-----END CERTIFICATE-----\n`,
    );
    expect(root?.commonName).toBe("Intel SGX Root CA");
    const keyAt = toHex(der).indexOf("03420004") / 2 + 3;
    const key = der.slice(keyAt, keyAt + 65);
    expect(toHex(new Uint8Array(await crypto.subtle.digest("SHA-384", key)))).toBe(
      "46e403bd34f05a3f2817ab9badcaacc7ffc98e0f261008cd30dae936cace18d5dcf58eef31463613de1570d516200993",
    );
  });

  test("one of Phala's is UpToDate under Intel's root, and not simulated", async () => {
    expect(await verify(phala())).toMatchObject({
      simulated: false,
      tcb: { status: "UpToDate", evaluation: 17 },
      validUntil: Date.UTC(2025, 6, 19, 10, 0, 35),
    });
  });

  test("one of Cocoon's is UpToDate, with the image hash that Cocoon publishes", async () => {
    expect(await verify(cocoon())).toMatchObject({
      simulated: false,
      tcb: { status: "UpToDate", evaluation: 18 },
      imageHash: "04b3afd931d28680af91a15b09d672c40ad6b141f7f9089a8d67d595220f7436",
    });
  });

  test("they are accepted from the first to the last second of their collateral, and not beyond", async () => {
    const first = Date.UTC(2025, 5, 19, 10, 32, 27);
    const last = Date.UTC(2025, 6, 19, 10, 0, 34);
    await expect(verify({ ...phala(), at: first })).resolves.toBeDefined();
    await expect(verify({ ...phala(), at: last })).resolves.toBeDefined();
    await refused(verify({ ...phala(), at: first - 1 }), "COLLATERAL_NOT_YET_VALID");
    await refused(verify({ ...phala(), at: last + 1_000 }), "CRL_EXPIRED");
    await refused(verify({ ...phala(), at: Date.UTC(2025, 7, 25) }), "CRL_EXPIRED");
    await refused(verify({ ...phala(), at: Date.UTC(2025, 5, 1) }), "CRL_NOT_YET_VALID");
  });

  test("the strict policy as it is refuses collateral of eleven days, and an old evaluation", async () => {
    await refused(verify(cocoon(), strictPolicy), "CRL_AGE");
    await refused(verify(phala(), strictPolicy), "COLLATERAL_EVALUATION");
  });

  test("collateral of another kind of machine is refused", async () => {
    await refused(verify({ ...cocoon(), quote: phala().quote }), "FMSPC");
    // in 2025 the other machine was not yet provisioned
    await refused(verify({ ...phala(), quote: cocoon().quote }), "CERT_NOT_YET_VALID");
  });

  test("a quote padded to 8000 bytes is read: it fails only for want of its own collateral", () =>
    refused(verify({ ...cocoon(), quote: bytes("tdx/google_cos113_v4_00806f.quote.bin") }), "FMSPC"));

  test("without lists of revoked certificates nothing is accepted", async () => {
    const vector = phala();
    const without = (field: "pck_crl" | "root_ca_crl") =>
      verify({ ...vector, collateral: { ...vector.collateral, [field]: "" } });
    await refused(without("pck_crl"), "CRL_FORMAT");
    await refused(without("root_ca_crl"), "CRL_FORMAT");
  });

  test("a forged identity of the quoting enclave is refused", async () => {
    const vector = phala();
    const qe_identity = vector.collateral.qe_identity.replace('"isvprodid":2', '"isvprodid":3');
    expect(qe_identity).not.toBe(vector.collateral.qe_identity);
    await refused(
      verify({ ...vector, collateral: { ...vector.collateral, qe_identity } }),
      "QE_IDENTITY_SIGNATURE",
    );
  });

  test("one flipped bit in front of the padding is refused, one in the padding is not", async () => {
    const vector = cocoon();
    const signedBytes = 636 + 4_304 - 1; // the certificate chain's closing NUL is not part of anything
    for (let at = 0; at < signedBytes; at += 13) {
      const quote = vector.quote.slice();
      quote[at]! ^= 1 << (at % 8);
      const outcome = await verify({ ...vector, quote }).then(
        () => "accepted",
        (error: { name: string }) => error.name,
      );
      expect([at, outcome]).toEqual([at, "AttestationError"]);
    }
    const padded = vector.quote.slice();
    padded[padded.length - 1]! ^= 1;
    await expect(verify({ ...vector, quote: padded })).resolves.toBeDefined();
  });

  test("in a bundle they are refused at MEASUREMENT, and with their row at REPORT_DATA", async () => {
    const { quote, collateral, at } = cocoon();
    const bundle = encodeBundle({
      v: 1,
      tee: "tdx",
      quote: toBase64(quote),
      statement: "",
      collateral,
      link: { linkPk: "00".repeat(32), payout: "owner", signature: "00".repeat(64) },
      manifests: [],
      gpu: null,
      release: null,
    });
    const chain = { latest: () => Promise.reject(new Error()), block: () => Promise.reject(new Error()) };
    const judge = (rows: readonly MeasurementRow[]) =>
      appraise({ bundle, policy: { ...policyOfThen, rows }, chain, now: at, expect: {} });
    await refused(judge([]), "MEASUREMENT");
    const { measurement } = await verify(cocoon());
    await refused(judge([{ release: "cocoon", shape: "any", ...measurement }]), "REPORT_DATA");
  });

  test("dcap-qvl agrees on both", () => {
    for (const { quote, collateral, at } of [phala(), cocoon()]) {
      const verifier = QuoteVerifier.newWithRootCa(Buffer.from(bytes("tdx/IntelSGXRootCA.der")));
      expect(verifier.verify(Buffer.from(quote), collateral, at / 1_000).status).toBe("UpToDate");
    }
  });

  test("the strict DER reader reads Intel's certificates and lists as a full ASN.1 library does", () => {
    const chains = [phala(), cocoon()].flatMap(({ collateral }) => [
      collateral.pck_crl_issuer_chain,
      collateral.tcb_info_issuer_chain,
    ]);
    for (const certificate of chains.flatMap((chain) => parsePemChain(chain))) {
      const { tbsCertificate } = AsnConvert.parse(certificate.der, Certificate);
      expect(certificate.serial).toBe(hexNumber(tbsCertificate.serialNumber));
      expect(certificate.notBefore).toBe(tbsCertificate.validity.notBefore.getTime().getTime());
      expect(certificate.notAfter).toBe(tbsCertificate.validity.notAfter.getTime().getTime());
      expect(certificate.extensions.size).toBe(tbsCertificate.extensions?.length);
    }
    for (const { collateral } of [phala(), cocoon()]) {
      const ours = parseCrl(collateral.pck_crl);
      const { tbsCertList } = AsnConvert.parse(fromHex(collateral.pck_crl), CertificateList);
      expect(ours.revoked.size).toBeGreaterThan(40);
      expect([...ours.revoked]).toEqual(
        tbsCertList.revokedCertificates?.map(({ userCertificate }) => hexNumber(userCertificate)),
      );
      expect(ours.thisUpdate).toBe(tbsCertList.thisUpdate.getTime().getTime());
      expect(ours.nextUpdate).toBe(tbsCertList.nextUpdate?.getTime().getTime());
    }
  });
});

/** A big-endian INTEGER's content as hex without its sign byte. */
const hexNumber = (content: ArrayBuffer) => toHex(new Uint8Array(content)).replace(/^00(?=[89a-f])/, "");

describe.skipIf(absent)("the simulated vectors, under their own root", () => {
  const at = Date.UTC(2026, 10, 1, 1);
  const policyOf = async (root: string): Promise<AttestationPolicy> => ({
    ...strictPolicy,
    name: "vectors",
    // their lists carry no number
    minCrlNumber: 0,
    root: {
      name: "Dev TDX Root CA",
      sha256: await sha256(bytes(`sim/${root}`)),
      simulated: true,
      names: {
        root: "Dev TDX Root CA",
        pckCa: ["Dev PCK Platform CA"],
        pck: ["Dev PCK Certificate"],
        tcbSigner: "Dev TCB Signing",
      },
    },
  });
  const judge = async (name: string, root = "dev_root.der", documents = "good") =>
    verifyQuote(
      bytes(`sim/${name}.quote.bin`),
      collateral(`sim/${documents}.collateral.json`),
      at,
      await policyOf(root),
    );

  test("good is accepted, and refused under Intel's root", async () => {
    expect(await judge("good")).toMatchObject({
      simulated: true,
      tcb: { status: "UpToDate", evaluation: 18 },
    });
    const refusal = verifyQuote(
      bytes("sim/good.quote.bin"),
      collateral("sim/good.collateral.json"),
      at,
      strictPolicy,
    );
    await refused(refusal, "CHAIN_ROOT");
  });

  test.each([
    ["bad_debug_td", "TD_DEBUG"],
    ["bad_module_svn_outofdate", "MODULE_TCB_STATUS"],
    ["bad_mrsignerseam", "MODULE_SIGNER"],
    ["bad_vendor", "QUOTE_VENDOR"],
  ] as const)("%s is refused for what it is: %s", (name, reason) => refused(judge(name), reason));

  test("revoked is refused because its PCK certificate is on the list", () =>
    refused(judge("revoked", "revoked.root.der", "revoked"), "CERT_REVOKED"));
});
