import {
  type AttestationReason,
  type Collateral,
  cachedRegistry,
  demandRegistered,
  encodeBundle,
  gpuEvidenceHash,
  readCollateral,
  reportData as reportDataOf,
  strictPolicy,
  toncenterChainView,
  trustMemory,
  verifyQuote,
} from "../../src/attestation/index.ts";
import { extension, pem } from "../../src/simulation/certificate.ts";
import * as der from "../../src/simulation/der-writer.ts";
import { fromHex, toBase64, toHex, utf8 } from "../../src/wire/index.ts";
import {
  appraiseOpenly,
  dayMs,
  flipped,
  type Ground,
  minuteMs,
  newOpenNode,
  now,
  withOpenBundle,
  zeros,
} from "./ground.ts";
import type { ReleaseDesk } from "./release-desk.ts";

/** What is judged; it must reject with the reason that it stands under. */
export type Attack = (ground: Ground, desk: ReleaseDesk) => Promise<unknown>;

const signatureAt = 636;
const qeReportAt = signatureAt + 128 + 6;
const changedCrl = (hex: string) => toHex(flipped(fromHex(hex), hex.length / 2 - 1));

function underRelease(
  ground: Ground,
  desk: ReleaseDesk,
  signed = desk.sign(),
  registry = desk.registry(signed),
  memory = trustMemory(),
) {
  return ground.withBundle({ release: signed }, { policy: desk.policy, registry, memory });
}

/**
 * One attack for every reason of the verifier: the table is total, so a reason cannot be added without one.
 * Each changes one thing of a ground that is accepted as it is.
 */
export const refusals: Readonly<Record<AttestationReason, Attack>> = {
  TIME: (g) => g.verify({ at: now / 1_000 }),
  BUNDLE_TOO_LARGE: (g) => g.appraise({ bundle: new Uint8Array(256 * 1_024 + 1) }),
  BUNDLE_JSON: (g) => g.appraise({ bundle: utf8(`${new TextDecoder().decode(g.good.bytes)} `) }),
  BUNDLE_FIELD: (g) => g.appraise({ bundle: utf8("{}") }),
  TEE: (g) => g.appraise({ bundle: g.open.bytes }),
  COLLATERAL_TOO_LARGE: (g) => g.withDocuments({ tcb_info: "x".repeat(256 * 1_024) }),
  COLLATERAL_FIELD: async () => readCollateral("[]"),
  QUOTE_TOO_LARGE: (g) => g.withQuote({ tail: new Uint8Array(16_384) }),
  QUOTE_TRUNCATED: (g) => g.verify({ quote: g.quote.subarray(0, 1_000) }),
  QUOTE_FORMAT: (g) => g.withQuote({ header: { version: 5, bodyType: 1 as 2 } }),
  QUOTE_VERSION: (g) => g.withQuote({ header: { version: 3 as 4 } }),
  QUOTE_TEE_TYPE: (g) => g.withQuote({ header: { teeType: 0 } }),
  QUOTE_KEY_TYPE: (g) => g.withQuote({ header: { attestationKeyType: 3 } }),
  QUOTE_VENDOR: (g) => g.withQuote({ header: { qeVendorId: zeros(16) } }),
  QUOTE_CERTIFICATION: (g) => g.verify({ quote: flipped(g.quote, signatureAt + 128) }),

  CHAIN_ROOT: (g) => verifyQuote(g.quote, g.collateral, now, strictPolicy),
  CHAIN_LENGTH: (g) => g.withDocuments({ tcb_info_issuer_chain: pem(g.world.rootDer) }),
  CHAIN_NAME: (g) => g.inWorld({ pckCa: { issuer: "Another" } }),
  CHAIN_PATH_LENGTH: (g) => g.inWorld({ root: { pathLength: 0 } }),
  CERT_FORMAT: (g) => g.withDocuments({ tcb_info_issuer_chain: `x${g.collateral.tcb_info_issuer_chain}` }),
  CERT_EXTENSION: (g) =>
    g.inWorld({ tcbSigner: { extensions: [extension("1.2.3.4", true, der.octets(Uint8Array.of(1)))] } }),
  CERT_ROLE: (g) => g.inWorld({ tcbSigner: { subject: "Another" } }),
  CERT_NOT_CA: (g) => g.inWorld({ pckCa: { pathLength: undefined, usage: "ca" } }),
  CERT_KEY_USAGE: (g) => g.inWorld({ pckCa: { usage: "signer" } }),
  CERT_NOT_YET_VALID: (g) => g.inWorld({ tcbSigner: { notBefore: now + 1_000 } }),
  CERT_EXPIRED: (g) => g.inWorld({ pckCa: { notAfter: now - 1_000 } }),
  CERT_SIGNATURE: (g) => g.withDocuments({ tcb_info_issuer_chain: forgedChain(g) }),

  CRL_FORMAT: (g) => g.withDocuments({ pck_crl: "" }),
  CRL_EXTENSION: (g) =>
    g.withCollateral({ pckCrl: { extensions: [extension("2.5.29.27", true, der.integer(1))] } }),
  CRL_ISSUER: (g) => g.withDocuments({ pck_crl: g.collateral.root_ca_crl }),
  CRL_SIGNATURE: (g) => g.withDocuments({ pck_crl: changedCrl(g.collateral.pck_crl) }),
  CRL_NOT_YET_VALID: (g) => g.withCollateral({ pckCrl: { thisUpdate: now + 1_000 } }),
  CRL_EXPIRED: (g) => g.withCollateral({ rootCrl: { nextUpdate: now } }),
  CRL_AGE: (g) => g.withCollateral({ pckCrl: { thisUpdate: now - 7 * dayMs - 1_000 } }),
  CRL_ROLLBACK: async (g) => {
    const memory = trustMemory();
    await g.withCollateral({ pckCrl: { number: 2 } }, { memory });
    return g.verify({ memory });
  },
  CERT_REVOKED: (g) => g.withCollateral({ revoke: ["pck"] }),

  TCB_INFO_FORMAT: (g) => g.withCollateral({ tcbInfo: { id: "SGX" } }),
  TCB_INFO_SIGNATURE: (g) => g.withDocuments({ tcb_info: `${g.collateral.tcb_info} ` }),
  QE_IDENTITY_FORMAT: (g) => g.withCollateral({ qeIdentity: { id: "QE" } }),
  QE_IDENTITY_SIGNATURE: (g) => g.withDocuments({ qe_identity: `${g.collateral.qe_identity} ` }),
  COLLATERAL_NOT_YET_VALID: (g) => g.withCollateral({ tcbInfo: { issueDate: "2026-11-02T00:00:00Z" } }),
  COLLATERAL_EXPIRED: (g) => g.withCollateral({ tcbInfo: { nextUpdate: "2026-11-01T01:00:00Z" } }),
  COLLATERAL_AGE: (g) => g.withCollateral({ tcbInfo: { issueDate: "2026-10-25T00:59:59Z" } }),
  COLLATERAL_EVALUATION: (g) => g.withCollateral({ tcbInfo: { tcbEvaluationDataNumber: 17 } }),
  COLLATERAL_ROLLBACK: async (g) => {
    const memory = trustMemory();
    await g.withCollateral({ tcbInfo: { tcbEvaluationDataNumber: 19 } }, { memory });
    return g.verify({ memory });
  },

  QE_REPORT_SIGNATURE: (g) => g.verify({ quote: flipped(g.quote, qeReportAt + 64) }),
  ATTESTATION_KEY: async (g) => {
    const attacker = g.world.keys.tcbSigner;
    const bent = g.quote.slice();
    bent.set(await attacker.sign(g.quote.slice(0, 632)), signatureAt);
    bent.set(attacker.point, signatureAt + 64);
    return g.verify({ quote: bent });
  },
  QE_DEBUG: (g) => g.withQuote({ qe: { attributes: `13${zeros(15)}` } }),
  QE_IDENTITY: (g) => g.withQuote({ qe: { isvProdId: 1 } }),
  QE_TCB_STATUS: (g) => g.withQuote({ qe: { isvSvn: 3 } }),
  QUOTE_SIGNATURE: (g) => g.verify({ quote: flipped(g.quote, 48 + 520) }),

  PLATFORM_FORMAT: (g) => g.withQuote({ pckCertificate: { extensions: [] } }),
  FMSPC: (g) => g.withQuote({ fmspc: "DEAD00000001" }),
  PCEID: (g) => g.withQuote({ pceId: "0001" }),
  MODULE_UNKNOWN: (g) => g.withQuote({ body: { teeTcbSvn: `070203${zeros(13)}` } }),
  MODULE_SIGNER: (g) => g.withQuote({ body: { mrSignerSeam: `01${zeros(47)}` } }),
  MODULE_ATTRIBUTES: (g) => g.withQuote({ body: { seamAttributes: `01${zeros(7)}` } }),
  MODULE_TCB_STATUS: (g) => g.withQuote({ body: { teeTcbSvn: `060103${zeros(13)}` } }),
  TCB_NO_MATCH: (g) => g.withQuote({ body: { teeTcbSvn: `070102${zeros(13)}` } }),
  TCB_STATUS: (g) => g.withCollateral({ tcbInfo: { tcbLevels: levels(g.collateral, "OutOfDate") } }),

  TD_DEBUG: (g) => g.withQuote({ body: { tdAttributes: "0100001000000000" } }),
  TD_ATTRIBUTES: (g) => g.withQuote({ body: { tdAttributes: "0000003000000000" } }),
  XFAM: (g) => g.withQuote({ body: { xfam: "e702060000000001" } }),
  MR_CONFIG_ID: (g) => g.withQuote({ body: { mrConfigId: `${zeros(47)}01` } }),
  MR_OWNER: (g) => g.withQuote({ body: { mrOwner: `${zeros(47)}01` } }),
  MR_OWNER_CONFIG: (g) => g.withQuote({ body: { mrOwnerConfig: `${zeros(47)}01` } }),
  MR_SERVICE_TD: (g) =>
    g.withQuote({ header: { version: 5, bodyType: 3 }, body: { mrServiceTd: `${zeros(47)}01` } }),

  RELEASE_MISSING: (g, desk) =>
    g.appraise({ policy: desk.policy, registry: desk.registry(desk.sign()), memory: trustMemory() }),
  RELEASE_SIGNATURES: (g, desk) => underRelease(g, desk, desk.sign({}, desk.keys.slice(0, 1))),
  RELEASE_FORMAT: (g, desk) => underRelease(g, desk, desk.sign({}, undefined, utf8("{}"))),
  RELEASE_UNREGISTERED: (g, desk) =>
    underRelease(g, desk, desk.sign(), desk.registry(desk.sign({ version: 8 }))),
  RELEASE_ROLLBACK: async (g, desk) => {
    const memory = trustMemory();
    const newer = desk.sign({ version: 8 });
    await underRelease(g, desk, newer, desk.registry(newer), memory);
    return underRelease(g, desk, desk.sign(), undefined, memory);
  },
  RELEASE_EXPIRED: (g, desk) => underRelease(g, desk, desk.sign({ notAfter: now })),
  MEASUREMENT: async (g) =>
    g.appraise({ bundle: (await g.node({ quote: { body: { rtmr3: `01${zeros(47)}` } } })).bytes }),

  REPORT_DATA: async (g) => g.withBundle({ statement: (await g.node()).bundle.statement }),
  ATTESTATION_ID: async (g) =>
    g.appraise({ bundle: (await g.node()).bytes, expect: { attestationId: g.good.attestationId } }),

  STATEMENT_FORMAT: async (g) => {
    const bytes = utf8("{}");
    const quote = await g.world.quote(await reportDataOf(bytes));
    return g.withBundle({ statement: toBase64(bytes), quote: toBase64(quote) });
  },
  STATEMENT_KEYS: (g) => g.withStatement({ suites: [1] }),
  NODE: async (g) => g.appraise({ bundle: (await g.node()).bytes, expect: { node: g.good.node } }),
  NODE_ID: (g) => g.withBundle({ link: { ...g.good.bundle.link, payout: "thief" } }),
  OPEN_SIGNATURE: async (g) =>
    withOpenBundle(g, { statementSignature: (await newOpenNode()).bundle.statementSignature }),
  LINK_SIGNATURE: (g) => g.withStatement({ boot_id: "00".repeat(16) }),
  CHAIN_VIEW: (g) => {
    const fetch = () => Promise.reject(new Error("offline"));
    const endpoints = ["https://one.example", "https://two.example"];
    return g.appraise({ chain: toncenterChainView({ endpoints, chain: "bombyx-devnet", fetch }) });
  },
  BEACON_CHAIN: (g) => g.appraise({ policy: { chain: "ton" } }),
  BEACON_UNKNOWN: async (g) => {
    const beacon = { chain: "bombyx-devnet", seqno: 990, hash: "00".repeat(32) };
    return g.appraise({ bundle: (await g.node({ beacon })).bytes });
  },
  BEACON_AGE: (g) => g.appraise({ now: now + 110 * minuteMs + 1 }),
  // the collateral is an hour old, the beacon ten minutes
  CLOCK: (g) => g.appraise({ now: now - 15 * minuteMs - 1 }),
  CHALLENGE: (g) => g.appraise({ expect: { challenge: "ab".repeat(32) } }),
  MANIFEST: (g) => g.appraise({ expect: { manifest: "00".repeat(32) } }),
  MANIFEST_MISSING: (g) => g.withBundle({ manifests: [] }),
  MANIFEST_UNRELEASED: (g, desk) => underRelease(g, desk, desk.sign({ models: ["00".repeat(32)] })),
  GPU_MODE: (g) => g.withStatement({ gpu: { mode: "plain", evidence: null } }),
  GPU_EVIDENCE: async (g) => {
    const gpu = { mode: "cc", evidence: toHex(gpuEvidenceHash(utf8("evidence"))) } as const;
    const { bundle } = await g.node({ statement: { gpu } });
    return g.appraise({ bundle: encodeBundle({ ...bundle, gpu: toBase64(utf8("other")) }) });
  },

  REGISTRY_VIEW: (g, desk) => {
    const registry = cachedRegistry(
      () => Promise.reject(new Error("offline")),
      () => now,
    );
    return underRelease(g, desk, undefined, registry);
  },
  REGISTRY_AGE: async (g, desk) =>
    underRelease(g, desk, undefined, stale(await desk.registry(desk.sign()).lists())),
  PLATFORM_DENIED: async (g, desk) => {
    const denied = { platforms: [(await g.verify()).platformId] };
    return underRelease(g, desk, undefined, desk.registry(desk.sign(), { denied }));
  },
  IMAGE_DENIED: async (g, desk) => {
    const denied = { images: [(await g.verify()).imageHash] };
    return underRelease(g, desk, undefined, desk.registry(desk.sign(), { denied }));
  },
  BOOT_DENIED: async (g, desk) => {
    const denied = { bootIds: [g.good.statement.boot_id] };
    return underRelease(g, desk, undefined, desk.registry(desk.sign(), { denied }));
  },
  PLATFORM_UNREGISTERED: (g, desk) =>
    underRelease(g, desk, undefined, desk.registry(desk.sign(), { platforms: {} })),
};

/** What each attack is a change of: both judgements, with a release and without, accept. */
export const twins: Readonly<Record<string, Attack>> = {
  "a quote": (g) => g.verify(),
  "a quote under a memory": (g) => g.verify({ memory: trustMemory() }),
  "a bundle": (g) => g.appraise(),
  "a bundle under a signed release": (g, desk) => underRelease(g, desk),
  "a node of the open tier": (g) => appraiseOpenly(g),
  "a registered platform": async (g, desk) => {
    const { platformId, imageHash } = await g.verify();
    const lists = await desk.registry(desk.sign()).lists();
    return demandRegistered({ platformId, imageHash, bootId: g.good.statement.boot_id }, lists, now);
  },
};

const stale = <T extends { readonly readAt: number }>(lists: T) => ({
  lists: async () => ({ ...lists, readAt: now - 5 * minuteMs - 1 }),
});

function levels({ tcb_info }: Collateral, tcbStatus: string): object[] {
  const info = JSON.parse(tcb_info) as { tcbLevels: readonly object[] };
  return [{ ...info.tcbLevels[0], tcbStatus }];
}

/** The signer's chain with one byte of the first certificate's signature changed. */
function forgedChain({ collateral }: Ground): string {
  const [, first = ""] = /-----BEGIN CERTIFICATE-----([^-]*)/.exec(collateral.tcb_info_issuer_chain) ?? [];
  const bytes = Uint8Array.from(atob(first.replaceAll("\n", "")), (character) => character.charCodeAt(0));
  const rest = collateral.tcb_info_issuer_chain.split(/(?<=-----END CERTIFICATE-----\n)/).slice(1);
  return pem(flipped(bytes, bytes.length - 3)) + rest.join("");
}
