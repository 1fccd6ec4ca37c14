import {
  manifestHash,
  type NodeVerdict,
  type Proof,
  parseBundle,
  parseOpenBundle,
  parseQuote,
} from "@bombyx/sdk";
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
  const { tee, statement } = verdict;
  const tone = tee === "none" || verdict.simulated ? "warn" : "good";
  const { link } = tee === "none" ? parseOpenBundle(proof.bundle) : parseBundle(proof.bundle);
  return [
    ...(tee === "none" ? openLines(proof) : hardwareLines(proof, verdict)),
    modelLine(proof, tone),
    // What a GPU hides from an owner who reads everything needs no line.
    ...(tee === "none" ? [] : [gpuLine(statement, tone)]),
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
        { label: "Owner's link key", text: link.linkPk },
        { label: "Payout address", text: link.payout },
        { label: "Boot id", text: statement.boot_id },
        { label: "Attestation id", text: verdict.attestationId },
        ...(tee === "tdx" && verdict.hosting ? [{ label: "Hosting", text: verdict.hosting }] : []),
      ],
    },
    standbyLine(proof, standby),
  ];
}

/** The open tier: nothing stands between its owner and what is sent there, and the sheet begins with that. */
function openLines(proof: Proof): readonly ProofLine[] {
  const { statement, suite } = proof.verdict;
  return [
    {
      id: "open",
      icon: "alert",
      tone: "warn",
      raw: [{ label: "tee", text: "none" }],
    },
    {
      id: "open-keys",
      icon: "key",
      tone: "warn",
      raw: [
        { label: "Statement", text: JSON.stringify(statement, undefined, 2) },
        { label: "Signature", text: parseOpenBundle(proof.bundle).statementSignature },
        { label: "Suite", text: String(suite) },
      ],
    },
  ];
}

const gpuLine = ({ gpu }: NodeVerdict["statement"], tone: ProofLine["tone"]): ProofLine => ({
  id: `gpu-${gpu.mode}`,
  icon: "bolt",
  tone: gpu.mode === "plain" ? "warn" : tone,
  raw: [{ label: "gpu", text: JSON.stringify(gpu, undefined, 2) }],
});

function modelLine({ verdict, manifest: hash }: Proof, tone: ProofLine["tone"]): ProofLine {
  const manifest = verdict.manifests.find((document) => manifestHash(document) === hash);
  return {
    id: verdict.tee === "none" ? "open-model" : "model",
    icon: "cube",
    tone,
    values: { model: modelFacts(manifest?.model ?? "–", manifest?.ggufSha256).name },
    raw: [
      { label: "GGUF SHA-256", text: manifest?.ggufSha256 ?? "–" },
      { label: "Manifest hash", text: hash },
      { label: "Manifest", text: JSON.stringify(manifest, undefined, 2) },
    ],
  };
}

/** What the machine's own hardware says. */
function hardwareLines(proof: Proof, verdict: Extract<NodeVerdict, { tee: "tdx" }>): readonly ProofLine[] {
  const { statement, row, tcb } = verdict;
  const bundle = parseBundle(proof.bundle);
  const { report, pckChain } = parseQuote(bytesOf(bundle.quote));
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
  ];
}

/** PROTOCOL §7: fewer than two owners is shown. */
function standbyLine(proof: Proof, standby: Proof | undefined): ProofLine {
  if (!standby) return { id: "standby-none", icon: "moved", tone: "warn", raw: [] };
  const { verdict, name } = standby;
  return {
    id: standby.owner === proof.owner ? "standby-same" : "standby",
    icon: "moved",
    tone: standby.owner === proof.owner || verdict.tee === "none" || verdict.simulated ? "warn" : "good",
    values: { name },
    raw: [
      { label: "Node id", text: verdict.node },
      ...(verdict.tee === "tdx" ? [{ label: "Platform id", text: verdict.platformId }] : []),
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
