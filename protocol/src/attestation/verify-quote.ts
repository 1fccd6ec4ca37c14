import { concat, toHex } from "../wire/encoding.ts";
import type { Collateral } from "./bundle.ts";
import { type Certificate, parsePemChain } from "./certificate.ts";
import { verifyChain } from "./chain.ts";
import { verifyDocuments } from "./collateral.ts";
import { type Crl, demandNotRevoked, parseCrl, verifyCrl } from "./crl.ts";
import { digest, VerificationKey } from "./ecdsa.ts";
import { demand } from "./error.ts";
import { inOrder } from "./in-order.ts";
import { platformId, readPlatform } from "./platform.ts";
import type { AttestationPolicy } from "./policy.ts";
import { parseQuote, type Quote, type TdReport } from "./quote.ts";
import { demandModule, demandPlatform, demandQuotingEnclave, demandTcbLevel } from "./tcb.ts";

/** Exactly SEPT_VE_DISABLE; DEBUG, MIGRATABLE, PERFMON and reserved bits are off. 8 bytes, little-endian. */
const tdAttributes = "0000001000000000";

/** What steps 1–7 prove about a quote. */
export interface QuoteVerdict {
  /** From the policy's root: true when nothing but a simulation stands behind the quote. */
  readonly simulated: boolean;
  readonly policy: string;
  /** 64 bytes. */
  readonly reportData: Uint8Array;
  /** Lower-case hex; names the machine, not the TD. */
  readonly platformId: string;
  readonly tcb: { readonly status: string; readonly evaluation: number };
  /** Lower-case hex, 48 bytes each; not yet compared with anything. */
  readonly measurement: {
    readonly mrtd: string;
    readonly rtmr0: string;
    readonly rtmr1: string;
    readonly rtmr2: string;
    readonly rtmr3: string;
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
    Number.isFinite(now) && now >= Date.UTC(2020) && now < Date.UTC(2100),
    "TIME",
    `"now" must be milliseconds since 1970 between 2020 and 2100, not ${now}.`,
  );
}

/**
 * PROTOCOL §4 steps 1–7: whether `quote` comes from an up-to-date TDX machine below the policy's root,
 * and from a TD with the attributes that Bombyx wants. What runs in the TD is judged by `appraise`.
 * @param at ms since epoch
 * @throws AttestationError with the reason and step of the first check that failed
 */
export async function verifyQuote(
  quoteBytes: Uint8Array,
  collateral: Collateral,
  at: number,
  policy: AttestationPolicy,
): Promise<QuoteVerdict> {
  demandInstant(at);
  const quote = parseQuote(Uint8Array.from(quoteBytes));
  const { root } = policy;
  const { names } = root;

  const pckChain = parsePemChain(quote.pckChain);
  const tcbChain = parsePemChain(collateral.tcb_info_issuer_chain);
  const qeChain =
    collateral.qe_identity_issuer_chain === collateral.tcb_info_issuer_chain
      ? tcbChain
      : parsePemChain(collateral.qe_identity_issuer_chain);
  const signerRoles = [[names.tcbSigner], [names.root]];
  await inOrder(
    verifyChain(pckChain, [names.pck, names.pckCa, [names.root]], root, at),
    verifyChain(tcbChain, signerRoles, root, at),
    ...(qeChain === tcbChain ? [] : [verifyChain(qeChain, signerRoles, root, at)]),
  );
  const [pck, pckCa, rootCertificate] = pckChain;
  const [tcbSigner] = tcbChain;
  const [qeSigner] = qeChain;
  demand(
    pck !== undefined &&
      pckCa !== undefined &&
      rootCertificate !== undefined &&
      tcbSigner !== undefined &&
      qeSigner !== undefined,
    "CHAIN_LENGTH",
    "A certificate chain is shorter than its roles.",
  );

  const [crls, { tcbInfo, qeIdentity }] = await inOrder(
    verifyRevocation(collateral, rootCertificate, pckCa, [pck, pckCa, tcbSigner, qeSigner], at),
    verifyDocuments(collateral, { tcbInfo: tcbSigner, qeIdentity: qeSigner }, policy, at),
    demandSignatures(quote, pck.key),
  );
  demandQuotingEnclave(quote.qeReport, qeIdentity, policy, at);

  const platform = readPlatform(pck);
  demandPlatform(platform, tcbInfo);
  demandModule(quote.report, tcbInfo, policy, at);
  const status = demandTcbLevel(quote.report, platform, tcbInfo, policy, at);

  demandTd(quote.report, policy);

  const { report } = quote;
  const [rtmr0, rtmr1, rtmr2, rtmr3] = report.rtmrs;
  return {
    simulated: root.simulated,
    policy: policy.name,
    reportData: report.reportData,
    platformId: await platformId(platform),
    tcb: {
      status,
      evaluation: Math.min(tcbInfo.tcbEvaluationDataNumber, qeIdentity.tcbEvaluationDataNumber),
    },
    measurement: { mrtd: report.mrTd, rtmr0, rtmr1, rtmr2, rtmr3 },
    imageHash: toHex(await digest("SHA-256", concat(report.measured, new Uint8Array(64)))),
    validUntil: Math.min(
      ...[...pckChain, ...tcbChain, ...qeChain].map(({ notAfter }) => notAfter),
      ...crls.map(({ nextUpdate }) => nextUpdate),
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
  root: Certificate,
  pckCa: Certificate,
  certificates: readonly Certificate[],
  at: number,
): Promise<readonly Crl[]> {
  const rootCrl = parseCrl(collateral.root_ca_crl);
  const pckCrl = parseCrl(collateral.pck_crl);
  await inOrder(verifyCrl(rootCrl, root, at), verifyCrl(pckCrl, pckCa, at));
  const crls = [rootCrl, pckCrl];
  demandNotRevoked(certificates, crls);
  return crls;
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
  demand(report.mrConfigId === zero, "MR_CONFIG_ID", "The virtual machine's MRCONFIGID is set.");
  demand(report.mrOwner === zero, "MR_OWNER", "The virtual machine's MROWNER is set.");
  demand(report.mrOwnerConfig === zero, "MR_OWNER_CONFIG", "The virtual machine's MROWNERCONFIG is set.");
  demand(
    report.mrServiceTd === undefined || report.mrServiceTd === zero,
    "MR_SERVICE_TD",
    "A service TD is bound to the virtual machine.",
  );
}
