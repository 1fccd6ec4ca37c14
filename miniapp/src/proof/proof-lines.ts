import { manifestHash, type Proof, parseBundle, parseQuote } from "@bombyx/sdk";
import type { IconName } from "../components/icon.tsx";
import type { TextArguments } from "../i18n/messages.ts";
import { modelFacts } from "../models/model-facts.ts";

/** Something that this device verified: words by `id`, and the bytes that stand behind them. */
export interface ProofLine {
  /** Its words are `proof-<id>` and `proof-<id>-why`. */
  readonly id: string;
  readonly icon: IconName;
  readonly tone: "good" | "warn";
  readonly values?: TextArguments;
  readonly raw: readonly { readonly label: string; readonly text: string }[];
}

/** Each check of PROTOCOL §4 in the order in which a person asks; the labels of raw bytes are the field's own. */
export function proofLines(proof: Proof, standby: Proof | undefined): readonly ProofLine[] {
  const { verdict } = proof;
  const { statement, row, tcb } = verdict;
  const bundle = parseBundle(proof.bundle);
  const { report, pckChain } = parseQuote(bytesOf(bundle.quote));
  const manifest = verdict.manifests.find((document) => manifestHash(document) === proof.manifest);
  const tone = verdict.simulated ? "warn" : "good";
  const tcbClean = tcb.status === "UpToDate";
  return [
    {
      id: verdict.simulated ? "hardware-simulated" : "hardware",
      icon: "chip",
      tone,
      raw: [
        { label: "PCK certificate chain", text: pckChain.trim() },
        { label: "Platform id", text: verdict.platformId },
        { label: "Quote (TDX)", text: bundle.quote },
      ],
    },
    {
      id: tcbClean ? "firmware" : "firmware-excepted",
      icon: "shield",
      tone: verdict.simulated || !tcbClean ? "warn" : "good",
      values: { status: tcb.status, evaluation: tcb.evaluation },
      raw: [
        { label: "TCB status", text: `${tcb.status}, evaluation ${tcb.evaluation}` },
        { label: "Advisories", text: tcb.advisories.join(", ") || "none" },
        { label: "Issued", text: `${new Date(tcb.issuedAt).toISOString()}, CRL ${tcb.crlNumber}` },
        { label: "TCB info", text: bundle.collateral.tcb_info },
        { label: "QE identity", text: bundle.collateral.qe_identity },
      ],
    },
    {
      id: "software",
      icon: "fingerprint",
      tone,
      values: { release: row.release, shape: row.shape },
      raw: [
        { label: "MRTD", text: row.mrtd },
        { label: "RTMR0", text: row.rtmr0 },
        { label: "RTMR1", text: row.rtmr1 },
        { label: "RTMR2", text: row.rtmr2 },
        { label: "RTMR3", text: row.rtmr3 },
        { label: "Image hash", text: verdict.imageHash },
      ],
    },
    {
      id: verdict.suite === 2 ? "keys-quantum" : "keys",
      icon: "key",
      tone,
      raw: [
        { label: "report_data", text: hexOf(report.reportData) },
        { label: "Statement", text: JSON.stringify(statement, undefined, 2) },
        { label: "Suite", text: String(verdict.suite) },
      ],
    },
    {
      id: "model",
      icon: "cube",
      tone,
      values: { model: modelFacts(manifest?.model ?? "–", manifest?.ggufSha256).name },
      raw: [
        { label: "GGUF SHA-256", text: manifest?.ggufSha256 ?? "–" },
        { label: "Manifest hash", text: proof.manifest },
        { label: "Manifest", text: JSON.stringify(manifest, undefined, 2) },
      ],
    },
    {
      id: `gpu-${statement.gpu.mode}`,
      icon: "bolt",
      tone: statement.gpu.mode === "plain" ? "warn" : tone,
      raw: [{ label: "gpu", text: JSON.stringify(statement.gpu, undefined, 2) }],
    },
    {
      id: "fresh",
      icon: "clock",
      tone,
      values: { beacon: new Date(verdict.beaconAt), until: new Date(verdict.validUntil) },
      raw: [
        { label: "Beacon", text: JSON.stringify(statement.beacon, undefined, 2) },
        { label: "Block made", text: new Date(verdict.beaconAt).toISOString() },
        { label: "Verified here", text: new Date(proof.verifiedAt).toISOString() },
        { label: "Session opened", text: new Date(proof.openedAt).toISOString() },
        { label: "Valid until", text: new Date(verdict.validUntil).toISOString() },
      ],
    },
    {
      id: "node",
      icon: "network",
      tone,
      values: { name: proof.name },
      raw: [
        { label: "Node id", text: verdict.node },
        { label: "Owner's link key", text: bundle.link.linkPk },
        { label: "Payout address", text: bundle.link.payout },
        { label: "Boot id", text: statement.boot_id },
        { label: "Attestation id", text: verdict.attestationId },
        ...(verdict.hosting ? [{ label: "Hosting", text: verdict.hosting }] : []),
      ],
    },
    standbyLine(proof, standby),
  ];
}

/** PROTOCOL §7: fewer than two owners is shown. */
function standbyLine(proof: Proof, standby: Proof | undefined): ProofLine {
  if (!standby) return { id: "standby-none", icon: "moved", tone: "warn", raw: [] };
  const { verdict, name } = standby;
  return {
    id: standby.owner === proof.owner ? "standby-same" : "standby",
    icon: "moved",
    tone: standby.owner === proof.owner || verdict.simulated ? "warn" : "good",
    values: { name },
    raw: [
      { label: "Node id", text: verdict.node },
      { label: "Platform id", text: verdict.platformId },
      { label: "Attestation id", text: verdict.attestationId },
      { label: "Verified here", text: new Date(standby.verifiedAt).toISOString() },
    ],
  };
}

/** What PROTOCOL §12 and §1 say openly: message ids. */
export const limitsSaid = [
  "limit-gateway",
  "limit-physical",
  "limit-gpu",
  "limit-length",
  "limit-neighbours",
  "limit-page",
] as const;

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
