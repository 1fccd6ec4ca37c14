import { beforeAll, describe, expect, test } from "vitest";
import { extension, mintCrl, pem } from "../simulation/certificate.ts";
import * as der from "../simulation/der-writer.ts";
import { type CollateralVariant, type QuoteVariant, SimulatedWorld } from "../simulation/index.ts";
import type { WorldOptions } from "../simulation/world.ts";
import { concat, fromBase64, fromHex, toHex, utf8 } from "../wire/encoding.ts";
import {
  type AttestationPolicy,
  type AttestationReason,
  attestationReasons,
  type Collateral,
  type QuoteVerdict,
  strictPolicy,
  verifyQuote,
} from "./index.ts";

const now = Date.UTC(2026, 10, 1, 1);
const dayMs = 86_400_000;
const reportData = Uint8Array.from({ length: 64 }, (_, i) => i);
const zeros = (bytes: number) => "00".repeat(bytes);

let world: SimulatedWorld;
let quote: Uint8Array<ArrayBuffer>;
let collateral: Collateral;
beforeAll(async () => {
  world = await SimulatedWorld.create({ now });
  quote = await world.quote(reportData);
  collateral = await world.collateral(now);
});

interface Case {
  readonly quote?: Uint8Array;
  readonly collateral?: Collateral;
  readonly at?: number | undefined;
  readonly policy?: Partial<AttestationPolicy>;
}
const verify = (change: Case = {}): Promise<QuoteVerdict> =>
  verifyQuote(
    change.quote ?? quote,
    change.collateral ?? collateral,
    // undefined is passed on: it is one of the instants that must be refused
    ("at" in change ? change.at : now) as number,
    world.policy(change.policy),
  );

/** Every tamper test stands on the good case of the first test below. */
async function refused(verdict: Promise<QuoteVerdict>, reason: AttestationReason): Promise<void> {
  await expect(verdict).rejects.toMatchObject({
    name: "AttestationError",
    code: "ATTESTATION",
    reason,
    step: attestationReasons[reason],
  });
}
const withQuote = async (variant: QuoteVariant) => verify({ quote: await world.quote(reportData, variant) });
const withCollateral = async (variant: CollateralVariant, change: Case = {}) =>
  verify({ ...change, collateral: await world.collateral(now, variant) });

/** A world whose certificates are wrong, judged under its own root. */
async function inWorld(certificates: NonNullable<WorldOptions["certificates"]>): Promise<QuoteVerdict> {
  const other = await SimulatedWorld.create({ now, certificates });
  return verifyQuote(await other.quote(reportData), await other.collateral(now), now, other.policy());
}

/** The same certificates with the last byte of the first one's signature changed. */
function forged(chain: string): string {
  const ders = [...chain.matchAll(/-----BEGIN CERTIFICATE-----([^-]*)/g)].map(([, body = ""]) =>
    fromBase64(body.replaceAll("\n", "")),
  );
  const [leaf] = ders;
  leaf?.set([leaf.at(-1)! ^ 1], leaf.length - 1);
  return pem(...ders);
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at]! ^= 1;
  return copy;
}

describe("a good quote", () => {
  test("is accepted with what it proves", async () => {
    const verdict = await verify();
    expect(verdict).toMatchObject({
      simulated: true,
      policy: "simulation",
      reportData,
      tcb: { status: "UpToDate", evaluation: 18 },
      measurement: { mrtd: world.row.mrtd, rtmr3: world.row.rtmr3 },
    });
    expect(verdict.platformId).toMatch(/^[0-9a-f]{64}$/);
  });

  test("is accepted in version 5, with a TD 1.0 and with a TD 1.5 report", async () => {
    for (const bodyType of [2, 3] as const) {
      const verdict = await withQuote({ header: { version: 5, bodyType } });
      expect(verdict.measurement.mrtd).toBe(world.row.mrtd);
    }
  });

  test("is accepted whatever padding stands behind its signature data", async () => {
    for (const tail of [new Uint8Array(70), new Uint8Array(39).fill(0xab), new Uint8Array(8_000)]) {
      await expect(withQuote({ tail })).resolves.toMatchObject({ simulated: true });
    }
  });

  test("names the machine by its platform: two quotes of one agree, those of two differ", async () => {
    const ids = await Promise.all(
      ["one", "one", "two"].map(async (platform) => (await withQuote({ platform })).platformId),
    );
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).not.toBe(ids[2]);
  });

  test("is valid until its collateral is too old for the policy, or runs out", async () => {
    expect((await verify()).validUntil).toBe(now - 3_600_000 + 7 * dayMs);
    const lenient = await verify({ policy: { collateralMaxAgeMs: 90 * dayMs } });
    expect(lenient.validUntil).toBe(now + 30 * dayMs);
  });
});

describe("time", () => {
  test.each([Number.NaN, undefined, Infinity, -1, 0, now / 1_000, now * 1_000])(
    "%s is refused as an instant",
    (at) => refused(verify({ at }), "TIME").then(() => expect(verify()).resolves.toBeDefined()),
  );
});

describe("parsing", () => {
  test("every truncation is refused before anything else is looked at", async () => {
    for (let size = 0; size < quote.length; size++) {
      await refused(verify({ quote: quote.subarray(0, size) }), "QUOTE_TRUNCATED");
    }
  });

  test.each<[string, QuoteVariant, AttestationReason]>([
    ["another version", { header: { version: 3 as 4 } }, "QUOTE_VERSION"],
    ["an SGX quote", { header: { teeType: 0 } }, "QUOTE_TEE_TYPE"],
    ["another attestation key type", { header: { attestationKeyType: 3 } }, "QUOTE_KEY_TYPE"],
    ["another vendor's quoting enclave", { header: { qeVendorId: zeros(16) } }, "QUOTE_VENDOR"],
    ["a version 5 body of SGX", { header: { version: 5, bodyType: 1 as 2 } }, "QUOTE_FORMAT"],
  ])("%s is refused", (_, variant, reason) => refused(withQuote(variant), reason));

  test("a body type whose size is another's is refused", async () => {
    const v5 = await world.quote(reportData, { header: { version: 5, bodyType: 3 } });
    v5[48] = 2;
    await refused(verify({ quote: v5 }), "QUOTE_FORMAT");
  });

  test("length fields of 0xFFFFFFFF are refused", async () => {
    const signatureBytesAt = 632;
    for (const at of [signatureBytesAt, signatureBytesAt + 4 + 128 + 2]) {
      const bent = quote.slice();
      bent.set([0xff, 0xff, 0xff, 0xff], at);
      await refused(verify({ quote: bent }), "QUOTE_TRUNCATED");
    }
  });

  test("a length larger than its content is refused", async () => {
    const bent = await world.quote(reportData, { tail: new Uint8Array(1) });
    bent[632]! += 1;
    await refused(verify({ quote: bent }), "QUOTE_FORMAT");
  });

  test("another kind of certification data is refused", async () => {
    await refused(verify({ quote: flipped(quote, 636 + 128) }), "QUOTE_CERTIFICATION");
  });

  test("a quote of more than 16 KB is refused", () =>
    refused(withQuote({ tail: new Uint8Array(16_384) }), "QUOTE_TOO_LARGE"));
});

describe("certificate chains", () => {
  test("another root of the same name is refused", async () => {
    const other = await SimulatedWorld.create({ now });
    await refused(verifyQuote(quote, collateral, now, other.policy()), "CHAIN_ROOT");
  });

  test("the strict policy refuses a simulated quote at its root", () =>
    refused(verifyQuote(quote, collateral, now, strictPolicy), "CHAIN_ROOT"));

  test.each<[string, NonNullable<WorldOptions["certificates"]>, AttestationReason]>([
    ["an intermediate that is no CA", { pckCa: { pathLength: undefined, usage: "ca" } }, "CERT_NOT_CA"],
    ["an intermediate that may not sign certificates", { pckCa: { usage: "signer" } }, "CERT_KEY_USAGE"],
    ["a root that allows no CA below itself", { root: { pathLength: 0 } }, "CHAIN_PATH_LENGTH"],
    ["an intermediate that names another issuer", { pckCa: { issuer: "Another" } }, "CHAIN_NAME"],
    ["an intermediate with another role's name", { pckCa: { subject: "Another" } }, "CERT_ROLE"],
    ["a signer with another role's name", { tcbSigner: { subject: "Another" } }, "CERT_ROLE"],
    ["a signer that may issue certificates", { tcbSigner: { usage: "ca" } }, "CERT_KEY_USAGE"],
    ["a signer that is a CA", { tcbSigner: { pathLength: 0, usage: "signer" } }, "CERT_KEY_USAGE"],
    ["an expired intermediate", { pckCa: { notAfter: now - 1_000 } }, "CERT_EXPIRED"],
    ["an expired root", { root: { notAfter: now - 1_000 } }, "CERT_EXPIRED"],
    ["a signer of tomorrow", { tcbSigner: { notBefore: now + 1_000 } }, "CERT_NOT_YET_VALID"],
    [
      "an unknown critical extension",
      { tcbSigner: { extensions: [extension("1.2.3.4", true, der.octets(Uint8Array.of(1)))] } },
      "CERT_EXTENSION",
    ],
    [
      "an extension that stands twice",
      { tcbSigner: { extensions: [extension("2.5.29.19", true, der.sequence())] } },
      "CERT_FORMAT",
    ],
  ])("%s is refused", (_, certificates, reason) => refused(inWorld(certificates), reason));

  test("an unknown extension that is not critical is accepted", () =>
    expect(
      inWorld({ tcbSigner: { extensions: [extension("1.2.3.4", false, der.octets(Uint8Array.of(1)))] } }),
    ).resolves.toBeDefined());

  test.each<[string, QuoteVariant, AttestationReason]>([
    ["expired", { pckCertificate: { notAfter: now - 1_000 } }, "CERT_EXPIRED"],
    ["of another role", { pckCertificate: { subject: "Another" } }, "CERT_ROLE"],
    ["of another issuer", { pckCertificate: { issuer: "Another" } }, "CHAIN_NAME"],
    ["without its SGX extension", { pckCertificate: { extensions: [] } }, "PLATFORM_FORMAT"],
  ])("a PCK certificate that is %s is refused", (_, variant, reason) => refused(withQuote(variant), reason));

  test("a certificate is valid up to its last second and not beyond", async () => {
    const variant = { pckCertificate: { notAfter: now } };
    await expect(withQuote(variant)).resolves.toBeDefined();
    await refused(verify({ quote: await world.quote(reportData, variant), at: now + 1_000 }), "CERT_EXPIRED");
  });

  test("a certificate with a changed signature is refused", async () => {
    const chain = forged(collateral.tcb_info_issuer_chain);
    await refused(verify({ collateral: { ...collateral, tcb_info_issuer_chain: chain } }), "CERT_SIGNATURE");
    await refused(
      verify({ collateral: { ...collateral, qe_identity_issuer_chain: chain } }),
      "CERT_SIGNATURE",
    );
  });

  test("a chain with one certificate too many, too few or none is refused", async () => {
    const [signer = ""] = collateral.tcb_info_issuer_chain.split(/(?<=-----END CERTIFICATE-----\n)/);
    const root = pem(world.rootDer);
    const chain = (tcb_info_issuer_chain: string) =>
      verify({ collateral: { ...collateral, tcb_info_issuer_chain } });
    await refused(chain(signer + root + root), "CHAIN_LENGTH");
    await refused(chain(root), "CHAIN_LENGTH");
    await refused(chain(signer), "CHAIN_ROOT");
    await refused(chain(""), "CHAIN_ROOT");
    await refused(chain(signer + root + root + root + root), "CERT_FORMAT");
    await refused(chain(`${signer}x${root}`), "CERT_FORMAT");
  });

  test("TCB info that another role of the same world signed is refused", async () => {
    const { pck, pckCa } = world.keys;
    const sign = async (key: typeof pck) => toHex(await key.sign(utf8(collateral.tcb_info)));
    const leafChain = pem(await world.pckCertificate()) + collateral.pck_crl_issuer_chain;
    await refused(
      verify({
        collateral: {
          ...collateral,
          tcb_info_issuer_chain: leafChain,
          tcb_info_signature: await sign(pck),
        },
      }),
      "CHAIN_LENGTH",
    );
    await refused(
      verify({
        collateral: {
          ...collateral,
          tcb_info_issuer_chain: collateral.pck_crl_issuer_chain,
          tcb_info_signature: await sign(pckCa),
        },
      }),
      "CERT_ROLE",
    );
  });
});

describe("revocation lists", () => {
  test.each(["pck", "pckCa", "tcbSigner"] as const)("a revoked %s is refused", (role) =>
    refused(withCollateral({ revoke: [role] }), "CERT_REVOKED"),
  );

  test("another machine's revocation does not matter", () =>
    expect(withCollateral({ revoke: ["pck"], platform: "two" })).resolves.toBeDefined());

  test.each<[string, (good: Collateral) => Partial<Collateral>, AttestationReason]>([
    ["an empty list", () => ({ pck_crl: "" }), "CRL_FORMAT"],
    ["garbage", () => ({ root_ca_crl: "00ff" }), "CRL_FORMAT"],
    ["upper-case hex", ({ pck_crl }) => ({ pck_crl: pck_crl.toUpperCase() }), "CRL_FORMAT"],
    ["bytes behind the list", ({ pck_crl }) => ({ pck_crl: `${pck_crl}00` }), "CRL_FORMAT"],
    ["the root's list as that of PCKs", ({ root_ca_crl }) => ({ pck_crl: root_ca_crl }), "CRL_ISSUER"],
    ["the PCKs' list as that of the root", ({ pck_crl }) => ({ root_ca_crl: pck_crl }), "CRL_ISSUER"],
    [
      "a list with a changed signature",
      ({ pck_crl }) => ({ pck_crl: toHex(flipped(fromHex(pck_crl), pck_crl.length / 2 - 1)) }),
      "CRL_SIGNATURE",
    ],
  ])("%s is refused", (_, change, reason) =>
    refused(verify({ collateral: { ...collateral, ...change(collateral) } }), reason),
  );

  test("a list that an attacker signed in the CA's name is refused", async () => {
    const crl = await mintCrl(
      {
        issuer: "Bombyx Simulated PCK Platform CA",
        thisUpdate: now - 1_000,
        nextUpdate: now + dayMs,
        revoked: [],
      },
      world.keys.attestation,
    );
    await refused(verify({ collateral: { ...collateral, pck_crl: toHex(crl) } }), "CRL_SIGNATURE");
  });

  test("a list is current from thisUpdate until just before nextUpdate", async () => {
    const window = { thisUpdate: now, nextUpdate: now + 1_000 };
    for (const list of ["rootCrl", "pckCrl"] as const) {
      await expect(withCollateral({ [list]: window })).resolves.toBeDefined();
      await refused(withCollateral({ [list]: window }, { at: now - 1_000 }), "CRL_NOT_YET_VALID");
      await refused(withCollateral({ [list]: window }, { at: now + 1_000 }), "CRL_EXPIRED");
    }
  });

  test("an unknown critical extension, which may narrow a list, is refused", async () => {
    const deltaIndicator = (critical: boolean) => ({
      pckCrl: { extensions: [extension("2.5.29.27", critical, der.integer(1))] },
    });
    await refused(withCollateral(deltaIndicator(true)), "CRL_EXTENSION");
    await expect(withCollateral(deltaIndicator(false))).resolves.toBeDefined();
  });
});

describe("collateral", () => {
  const flippedHex = (text: string) => toHex(flipped(fromHex(text), 40));

  test("a changed document, signature or signer is refused", async () => {
    const changed = (change: Partial<Collateral>) => verify({ collateral: { ...collateral, ...change } });
    await refused(changed({ tcb_info: `${collateral.tcb_info} ` }), "TCB_INFO_SIGNATURE");
    await refused(
      changed({ tcb_info_signature: flippedHex(collateral.tcb_info_signature) }),
      "TCB_INFO_SIGNATURE",
    );
    await refused(
      changed({ tcb_info_signature: collateral.tcb_info_signature.toUpperCase() }),
      "TCB_INFO_SIGNATURE",
    );
    await refused(changed({ tcb_info_signature: "" }), "TCB_INFO_SIGNATURE");
    await refused(changed({ qe_identity: `${collateral.qe_identity} ` }), "QE_IDENTITY_SIGNATURE");
    await refused(changed({ qe_identity_signature: collateral.tcb_info_signature }), "QE_IDENTITY_SIGNATURE");
  });

  test.each<[string, CollateralVariant, AttestationReason]>([
    ["SGX's TCB info", { tcbInfo: { id: "SGX" } }, "TCB_INFO_FORMAT"],
    ["another version of TCB info", { tcbInfo: { version: 2 } }, "TCB_INFO_FORMAT"],
    ["SGX's enclave identity", { qeIdentity: { id: "QE" } }, "QE_IDENTITY_FORMAT"],
    ["another version of enclave identity", { qeIdentity: { version: 3 } }, "QE_IDENTITY_FORMAT"],
    ["a date that is none", { tcbInfo: { issueDate: "2026-13-01T00:00:00Z" } }, "TCB_INFO_FORMAT"],
    [
      "TCB info below the evaluation floor",
      { tcbInfo: { tcbEvaluationDataNumber: 17 } },
      "COLLATERAL_EVALUATION",
    ],
    [
      "identity below the evaluation floor",
      { qeIdentity: { tcbEvaluationDataNumber: 17 } },
      "COLLATERAL_EVALUATION",
    ],
    ["TCB info of tomorrow", { tcbInfo: { issueDate: "2026-11-02T00:00:00Z" } }, "COLLATERAL_NOT_YET_VALID"],
    [
      "identity of tomorrow",
      { qeIdentity: { issueDate: "2026-11-02T00:00:00Z" } },
      "COLLATERAL_NOT_YET_VALID",
    ],
    ["TCB info that ran out", { tcbInfo: { nextUpdate: "2026-11-01T01:00:00Z" } }, "COLLATERAL_EXPIRED"],
    ["identity that ran out", { qeIdentity: { nextUpdate: "2026-11-01T01:00:00Z" } }, "COLLATERAL_EXPIRED"],
    ["TCB info older than seven days", { tcbInfo: { issueDate: "2026-10-25T00:59:59Z" } }, "COLLATERAL_AGE"],
    [
      "identity older than seven days",
      { qeIdentity: { issueDate: "2026-10-25T00:59:59Z" } },
      "COLLATERAL_AGE",
    ],
  ])("%s is refused", (_, variant, reason) => refused(withCollateral(variant), reason));

  test("documents of exactly seven days, and of the last second, are accepted", async () => {
    const dates = { issueDate: "2026-10-25T01:00:00Z", nextUpdate: "2026-11-01T01:00:01Z" };
    await expect(withCollateral({ tcbInfo: dates, qeIdentity: dates })).resolves.toBeDefined();
  });
});

describe("signatures", () => {
  const signatureAt = 636;
  const qeReportAt = signatureAt + 128 + 6;

  test("a quote that an attacker's key signed is refused, because the enclave reports another", async () => {
    const attacker = world.keys.tcbSigner;
    const bent = quote.slice();
    bent.set(await attacker.sign(quote.slice(0, 632)), signatureAt);
    bent.set(attacker.point, signatureAt + 64);
    await refused(verify({ quote: bent }), "ATTESTATION_KEY");
  });

  test.each<[string, number, AttestationReason]>([
    ["report data", 48 + 520, "QUOTE_SIGNATURE"],
    ["user data of the header", 30, "QUOTE_SIGNATURE"],
    ["quote signature", signatureAt, "QUOTE_SIGNATURE"],
    ["attestation key", signatureAt + 64, "ATTESTATION_KEY"],
    ["quoting enclave's report", qeReportAt + 64, "QE_REPORT_SIGNATURE"],
    ["signature of that report", qeReportAt + 384, "QE_REPORT_SIGNATURE"],
    ["authentication data", qeReportAt + 384 + 64 + 2, "ATTESTATION_KEY"],
  ])("one bit in the %s is refused", (_, at, reason) =>
    refused(verify({ quote: flipped(quote, at) }), reason),
  );

  test.each<[string, QuoteVariant, AttestationReason]>([
    ["in debug mode", { qe: { attributes: `13${zeros(15)}` } }, "QE_DEBUG"],
    ["with other attributes", { qe: { attributes: `31${zeros(15)}` } }, "QE_IDENTITY"],
    ["with other miscselect", { qe: { miscSelect: "01000000" } }, "QE_IDENTITY"],
    ["of another signer", { qe: { mrSigner: zeros(32) } }, "QE_IDENTITY"],
    ["of another product", { qe: { isvProdId: 1 } }, "QE_IDENTITY"],
    ["older than every level", { qe: { isvSvn: 3 } }, "QE_TCB_STATUS"],
  ])("a quoting enclave %s is refused", (_, variant, reason) => refused(withQuote(variant), reason));

  test("a quoting enclave with a bit that the identity masks out is accepted", () =>
    expect(withQuote({ qe: { attributes: `15${zeros(15)}` } })).resolves.toBeDefined());

  test("a newer quoting enclave is accepted, one that Intel lists as out of date is refused", async () => {
    await expect(withQuote({ qe: { isvSvn: 5 } })).resolves.toBeDefined();
    const tcbLevels = [
      { tcb: { isvsvn: 5 }, tcbStatus: "UpToDate" },
      { tcb: { isvsvn: 4 }, tcbStatus: "OutOfDate" },
    ];
    await refused(withCollateral({ qeIdentity: { tcbLevels } }), "QE_TCB_STATUS");
  });
});

describe("TCB", () => {
  test.each<[string, QuoteVariant, AttestationReason]>([
    ["another FMSPC", { fmspc: "DEAD00000001" }, "FMSPC"],
    ["another PCEID", { pceId: "0001" }, "PCEID"],
    ["an unknown TDX module", { body: { teeTcbSvn: `070203${zeros(13)}` } }, "MODULE_UNKNOWN"],
    ["another signer of the TDX module", { body: { mrSignerSeam: `01${zeros(47)}` } }, "MODULE_SIGNER"],
    ["attributes of the TDX module", { body: { seamAttributes: `01${zeros(7)}` } }, "MODULE_ATTRIBUTES"],
    ["a TDX module out of date", { body: { teeTcbSvn: `060103${zeros(13)}` } }, "MODULE_TCB_STATUS"],
    [
      "a TDX module older than every level",
      { body: { teeTcbSvn: `010103${zeros(13)}` } },
      "MODULE_TCB_STATUS",
    ],
    ["firmware older than every level", { body: { teeTcbSvn: `070102${zeros(13)}` } }, "TCB_NO_MATCH"],
  ])("%s is refused", (_, variant, reason) => refused(withQuote(variant), reason));

  const levels = (...statuses: readonly string[]) => {
    const info = JSON.parse(collateral.tcb_info) as { tcbLevels: readonly object[] };
    return { tcbInfo: { tcbLevels: statuses.map((tcbStatus) => ({ ...info.tcbLevels[0], tcbStatus })) } };
  };

  test.each(["OutOfDate", "ConfigurationNeeded", "SWHardeningNeeded", "Revoked", "Excellent"])(
    "a level of status %s is refused",
    (status) => refused(withCollateral(levels(status)), "TCB_STATUS"),
  );

  test("an empty list of levels is refused", () => refused(withCollateral(levels()), "TCB_NO_MATCH"));

  test("the first level that fits decides, not the best", async () => {
    await refused(withCollateral(levels("OutOfDate", "UpToDate")), "TCB_STATUS");
    await expect(withCollateral(levels("UpToDate", "OutOfDate"))).resolves.toBeDefined();
  });

  test("a dated exception of the policy admits its status until its date; never Revoked", async () => {
    const policy = (status: string) => ({ tcbExceptions: [{ status, until: now + 1_000 }] });
    const outOfDate = { policy: policy("OutOfDate") };
    const verdict = await withCollateral(levels("OutOfDate"), outOfDate);
    expect(verdict.tcb.status).toBe("OutOfDate");
    expect(verdict.validUntil).toBe(now + 1_000);
    await refused(withCollateral(levels("OutOfDate"), { ...outOfDate, at: now + 1_000 }), "TCB_STATUS");
    await refused(withCollateral(levels("Revoked"), { policy: policy("Revoked") }), "TCB_STATUS");
    await refused(withCollateral(levels("Excellent"), { policy: policy("Excellent") }), "TCB_STATUS");
  });

  test("a module of version 0 is judged by the TCB level's first components", async () => {
    const quoteOf = (svn: string) => world.quote(reportData, { body: { teeTcbSvn: svn + zeros(13) } });
    await expect(verify({ quote: await quoteOf("050003") })).resolves.toBeDefined();
    await refused(verify({ quote: await quoteOf("040003") }), "TCB_NO_MATCH");
  });
});

describe("the TD", () => {
  const flipBit = (hex: string, bit: number) => {
    const bytes = fromHex(hex);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    return toHex(bytes);
  };

  test("each of the 64 attribute bits that differs is refused", async () => {
    for (let bit = 0; bit < 64; bit++) {
      const tdAttributes = flipBit("0000001000000000", bit);
      await refused(withQuote({ body: { tdAttributes } }), bit === 0 ? "TD_DEBUG" : "TD_ATTRIBUTES");
    }
  });

  test("each of the 64 XFAM bits that differs is refused, unless the policy lists the result", async () => {
    for (let bit = 0; bit < 64; bit++) {
      await refused(withQuote({ body: { xfam: flipBit("e702060000000000", bit) } }), "XFAM");
    }
    const listed = await world.quote(reportData, { body: { xfam: "e700060000000000" } });
    await expect(verify({ quote: listed, policy: { xfam: ["e700060000000000"] } })).resolves.toBeDefined();
  });

  test.each([
    ["mrConfigId", "MR_CONFIG_ID"],
    ["mrOwner", "MR_OWNER"],
    ["mrOwnerConfig", "MR_OWNER_CONFIG"],
  ] as const)("a set %s is refused", (field, reason) =>
    refused(withQuote({ body: { [field]: `${zeros(47)}01` } }), reason),
  );

  test("a bound service TD is refused", async () => {
    const header = { version: 5, bodyType: 3 } as const;
    await refused(withQuote({ header, body: { mrServiceTd: `01${zeros(47)}` } }), "MR_SERVICE_TD");
    await expect(withQuote({ header })).resolves.toBeDefined();
  });
});

test("one flipped bit anywhere in a quote is refused", async () => {
  for (let at = 0; at < quote.length; at += 7) {
    const bent = quote.slice();
    bent[at]! ^= 1 << (at % 8);
    const outcome = await verify({ quote: bent }).then(
      () => "accepted",
      (error: { name: string }) => error.name,
    );
    expect([at, outcome]).toEqual([at, "AttestationError"]);
  }
});

test("a quote glued behind another is padding, and proves nothing of its own", async () => {
  const second = await world.quote(new Uint8Array(64));
  const verdict = await verify({ quote: concat(quote, second) });
  expect(verdict.reportData).toEqual(reportData);
});
