import { concat, toHex } from "../wire/encoding.ts";
import { limits } from "../wire/limits.ts";
import type { Collateral } from "./bundle.ts";
import { type Certificate, parsePemChain } from "./certificate.ts";
import { verifyChain } from "./chain.ts";
import { verifyDocuments } from "./collateral.ts";
import { demandNotRevoked, parseCrl, verifyCrl } from "./crl.ts";
import { digest, VerificationKey } from "./ecdsa.ts";
import { demand } from "./error.ts";
import { inOrder } from "./in-order.ts";
import type { Seen, TrustMemory } from "./memory.ts";
import { platformId, readPlatform } from "./platform.ts";
import type { AttestationPolicy } from "./policy.ts";
import { parseQuote, type Quote, type TdReport } from "./quote.ts";
import { demandCrlsNotOlder, demandDocumentsNotOlder, type IssuedList, withCollateral } from "./rollback.ts";
import { demandModule, demandPlatform, demandQuotingEnclave, demandTcbLevel } from "./tcb.ts";

/** Exactly SEPT_VE_DISABLE; DEBUG, MIGRATABLE, PERFMON and reserved bits are off. 8 bytes, little-endian. */
const tdAttributes = "0000001000000000";

/** What Intel says of the machine's firmware, and by which documents. */
export interface TcbVerdict {
  /** Intel's word for the level. */
  readonly status: string;
  /** The lower evaluation number of TCB info and enclave identity. */
  readonly evaluation: number;
  /** The lower number of the two revocation lists. */
  readonly crlNumber: number;
  readonly fmspc: string;
  /** Intel's security advisories for this level. */
  readonly advisories: readonly string[];
  /** ms since epoch: issue of the older of TCB info and enclave identity. */
  readonly issuedAt: number;
}

/** What steps 1–7 prove about a quote. */
export interface QuoteVerdict {
  /** From the policy's root: true when nothing but a simulation stands behind the quote. */
  readonly simulated: boolean;
  readonly policy: string;
  /** 64 bytes. */
  readonly reportData: Uint8Array;
  /** Lower-case hex; names the machine, not the TD. */
  readonly platformId: string;
  readonly tcb: TcbVerdict;
  readonly quoteVersion: 4 | 5;
  /** TD attributes and extended features, 8 bytes each as they stand in the quote, lower-case hex. */
  readonly tdAttributes: string;
  readonly xfam: string;
  /** Lower-case hex, 48 bytes each; not yet compared with anything. */
  readonly measurement: {
    readonly mrtd: string;
    readonly rtmr0: string;
    readonly rtmr1: string;
    readonly rtmr2: string;
    readonly rtmr3: string;
  };
  /** What the host sets at launch, 48 bytes each. */
  readonly ownerRegisters: {
    readonly mrConfigId: string;
    readonly mrOwner: string;
    readonly mrOwnerConfig: string;
  };
  /** Cocoon's image hash: SHA-256 of all measurements, lower-case hex. */
  readonly imageHash: string;
  /** ms since epoch: when the first of certificates and collateral runs out. */
  readonly validUntil: number;
}

/**
 * An instant that a clock may have shown: ms since epoch within 2020..2100.
 * @throws AttestationError TIME for NaN, undefined or seconds, which would disable every date check.
 */
export function demandInstant(now: number): void {
  demand(
    typeof now === "number" && now >= Date.UTC(2020) && now < Date.UTC(2100),
    "TIME",
    `"now" must be milliseconds since 1970 between 2020 and 2100, not ${now}.`,
  );
}

/**
 * PROTOCOL §4 steps 1–7: whether `quote` comes from an up-to-date TDX machine below the policy's root,
 * and from a TD with the attributes that Bombyx wants. What runs in the TD is judged by `appraise`.
 * @param at ms since epoch
 * @param memory of what this client has seen; without it a rollback within its dates goes unnoticed
 * @throws AttestationError with the reason and step of the first check that failed
 */
export async function verifyQuote(
  quoteBytes: Uint8Array,
  collateral: Collateral,
  at: number,
  policy: AttestationPolicy,
  memory?: TrustMemory,
): Promise<QuoteVerdict> {
  demandInstant(at);
  demandCollateralSize(collateral);
  const quote = parseQuote(ownBytes(quoteBytes));
  const { root } = policy;
  const { names } = root;

  const pckChain = parsePemChain(quote.pckChain);
  const tcbChain = parsePemChain(collateral.tcb_info_issuer_chain);
  const qeChain =
    collateral.qe_identity_issuer_chain === collateral.tcb_info_issuer_chain
      ? tcbChain
      : parsePemChain(collateral.qe_identity_issuer_chain);
  const signerRoles = [[names.tcbSigner], [names.root]] as const;
  const pckRoles = [names.pck, names.pckCa, [names.root]] as const;
  const tcbSigned = verifyChain(tcbChain, signerRoles, root, at);
  const [[pck, pckCa, rootCertificate], [tcbSigner], [qeSigner]] = await inOrder(
    verifyChain(pckChain, pckRoles, root, at),
    tcbSigned,
    qeChain === tcbChain ? tcbSigned : verifyChain(qeChain, signerRoles, root, at),
  );

  const seen = memory?.recall();
  const [lists, { tcbInfo, qeIdentity }] = await inOrder(
    verifyRevocation(collateral, [pck, pckCa, rootCertificate], [tcbSigner, qeSigner], policy, at, seen),
    verifyDocuments(collateral, { tcbInfo: tcbSigner, qeIdentity: qeSigner }, policy, at),
    demandSignatures(quote, pck.key),
  );
  demandDocumentsNotOlder(tcbInfo, qeIdentity, policy, seen);
  if (seen !== undefined) memory?.remember(withCollateral(seen, lists, tcbInfo, qeIdentity, policy));
  demandQuotingEnclave(quote.qeReport, qeIdentity, policy, at);

  const platform = readPlatform(pck);
  demandPlatform(platform, tcbInfo);
  demandModule(quote.report, tcbInfo, policy, at);
  const level = demandTcbLevel(quote.report, platform, tcbInfo, policy, at);

  demandTd(quote.report, policy);

  const { report } = quote;
  const [rtmr0, rtmr1, rtmr2, rtmr3] = report.rtmrs;
  return {
    simulated: root.simulated,
    policy: policy.name,
    reportData: report.reportData,
    platformId: await platformId(platform),
    tcb: {
      status: level.tcbStatus,
      evaluation: Math.min(tcbInfo.tcbEvaluationDataNumber, qeIdentity.tcbEvaluationDataNumber),
      crlNumber: Math.min(...lists.map(({ crl }) => Number(crl.number))),
      fmspc: platform.fmspc,
      advisories: level.advisoryIDs,
      issuedAt: Math.min(tcbInfo.issueDate, qeIdentity.issueDate),
    },
    quoteVersion: quote.version,
    tdAttributes: report.tdAttributes,
    xfam: report.xfam,
    measurement: { mrtd: report.mrTd, rtmr0, rtmr1, rtmr2, rtmr3 },
    ownerRegisters: {
      mrConfigId: report.mrConfigId,
      mrOwner: report.mrOwner,
      mrOwnerConfig: report.mrOwnerConfig,
    },
    imageHash: toHex(await digest("SHA-256", concat(report.measured, new Uint8Array(64)))),
    validUntil: Math.min(
      ...[...pckChain, ...tcbChain, ...qeChain].map(({ notAfter }) => notAfter),
      ...lists.map(({ crl }) => crl.nextUpdate),
      ...[tcbInfo, qeIdentity].flatMap(({ issueDate, nextUpdate }) => [
        nextUpdate,
        issueDate + policy.collateralMaxAgeMs,
      ]),
      ...policy.tcbExceptions.map(({ until }) => until).filter((until) => until > at),
    ),
  };
}

/**
 * Step 3. The list of PCK certificates is checked against the CA that issued the machine's own, so the
 * collateral's `pck_crl_issuer_chain` is not needed.
 */
async function verifyRevocation(
  collateral: Collateral,
  [pck, pckCa, root]: readonly [Certificate, Certificate, Certificate],
  signers: readonly Certificate[],
  policy: AttestationPolicy,
  at: number,
  seen: Seen | undefined,
): Promise<readonly IssuedList[]> {
  const rootCrl = parseCrl(collateral.root_ca_crl);
  const pckCrl = parseCrl(collateral.pck_crl);
  await inOrder(verifyCrl(rootCrl, root, at), verifyCrl(pckCrl, pckCa, at));
  demand(
    at - pckCrl.thisUpdate <= policy.collateralMaxAgeMs,
    "CRL_AGE",
    `The revocation list of "${pckCa.commonName}" is older than this policy allows.`,
  );
  const lists = [
    { crl: rootCrl, issuer: root, issued: [pckCa, ...signers] },
    { crl: pckCrl, issuer: pckCa, issued: [pck] },
  ];
  demandCrlsNotOlder(lists, policy, seen);
  demandNotRevoked([pck, pckCa, ...signers], [rootCrl, pckCrl]);
  return lists;
}

/** A copy that nobody changes meanwhile; more than a quote may have is not copied. */
const ownBytes = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  new Uint8Array(bytes.subarray(0, limits.quoteBytes + 1));

/** Intel's documents together have under 20 KB; a bundle holds at most this. */
function demandCollateralSize(collateral: Collateral): void {
  const size = Object.values(collateral).reduce((sum, text) => sum + text.length, 0);
  demand(
    size <= limits.bundleBytes,
    "COLLATERAL_TOO_LARGE",
    `The collateral has ${size} characters; at most ${limits.bundleBytes} are read.`,
  );
}

/** Step 5: PCK signed the quoting enclave's report, which binds the key that signed the quote. */
async function demandSignatures(quote: Quote, pck: VerificationKey): Promise<void> {
  const { qeReport, attestationKey } = quote;
  const [reported, signed, binding] = await Promise.all([
    pck.verifies(qeReport.bytes, quote.qeReportSignature),
    new VerificationKey(attestationKey).verifies(quote.signedPart, quote.signature),
    digest("SHA-256", concat(attestationKey, quote.qeAuthentication)),
  ]);
  demand(reported, "QE_REPORT_SIGNATURE", "The quoting enclave's report is not signed by the machine's PCK.");
  demand(
    toHex(qeReport.reportData) === toHex(binding) + "00".repeat(32),
    "ATTESTATION_KEY",
    "The quote's attestation key is not the one that the quoting enclave reports.",
  );
  demand(signed, "QUOTE_SIGNATURE", "The quote is not signed by its attestation key.");
}

/** Step 7: a TD that nobody can debug, migrate or profile, with registers nobody else set. */
function demandTd(report: TdReport, policy: AttestationPolicy): void {
  const firstByte = Number.parseInt(report.tdAttributes.slice(0, 2), 16);
  demand((firstByte & 1) === 0, "TD_DEBUG", "The virtual machine runs in debug mode: its host can read it.");
  demand(
    report.tdAttributes === tdAttributes,
    "TD_ATTRIBUTES",
    `The virtual machine's attributes are ${report.tdAttributes}, not ${tdAttributes}.`,
  );
  demand(
    policy.xfam.includes(report.xfam),
    "XFAM",
    `The virtual machine's extended features ${report.xfam} are not on this policy's list.`,
  );
  const zero = "00".repeat(48);
  if (policy.ownerRegisters === "zero") {
    demand(report.mrConfigId === zero, "MR_CONFIG_ID", "The virtual machine's MRCONFIGID is set.");
    demand(report.mrOwner === zero, "MR_OWNER", "The virtual machine's MROWNER is set.");
    demand(report.mrOwnerConfig === zero, "MR_OWNER_CONFIG", "The virtual machine's MROWNERCONFIG is set.");
  }
  demand(
    report.mrServiceTd === undefined || report.mrServiceTd === zero,
    "MR_SERVICE_TD",
    "A service TD is bound to the virtual machine.",
  );
}
