import {
  appraise,
  type Bundle,
  type ChainView,
  type Collateral,
  encodeBundle,
  findRow,
  type QuoteVerdict,
  refusal,
  verifyQuote,
} from "@bombyx/protocol/attestation";
import { fromBase64, fromUtf8, toHex } from "@bombyx/protocol/wire";
import * as z from "zod";
import { type PublicPolicy, publicPolicy } from "./public-policy.ts";

/** What `attest verify` prints for a quote that is accepted; hex is lower case, instants are ISO 8601. */
export interface Acceptance {
  readonly ok: true;
  readonly status: string;
  readonly tcbEvaluation: number;
  readonly quoteVersion: 4 | 5;
  readonly measurements: QuoteVerdict["measurement"];
  /** What the host set at launch: judged, to be zero, only under a policy with rows. */
  readonly ownerRegisters: QuoteVerdict["ownerRegisters"];
  readonly imageHash: string;
  readonly reportData: string;
  readonly tdAttributes: string;
  readonly xfam: string;
  readonly fmspc: string;
  readonly platformId: string;
  readonly advisories: readonly string[];
  /** Whether only a simulation's root stands behind the quote. */
  readonly simulated: boolean;
  readonly root: string;
  readonly checkedAt: string;
  /** When the first of certificates and collateral runs out. */
  readonly validUntil: string;
  /** What was compared with a policy and what is only shown. */
  readonly judged: { readonly measurements: boolean; readonly reportData: boolean };
  /** Of a bundle: what its quote commits to. */
  readonly statement?: StatementReport;
}

export interface StatementReport {
  readonly node: string;
  readonly attestationId: string;
  readonly bootId: string;
  readonly epoch: number;
  readonly gpu: string;
  readonly models: readonly { readonly model: string; readonly ggufSha256: string }[];
  /** `checked` is false when no chain endpoints were given: then the age of the quote is not proven. */
  readonly beacon: {
    readonly chain: string;
    readonly seqno: number;
    readonly hash: string;
    readonly checked: boolean;
  };
}

export interface VerifyInput {
  readonly quote: Uint8Array<ArrayBuffer>;
  readonly collateral: Collateral;
  /** ms since epoch. */
  readonly at: number;
  readonly root?: Uint8Array<ArrayBuffer>;
  /** Parsed JSON of a policy file. */
  readonly policy?: unknown;
}

/**
 * Judges a quote that anybody may have.
 * @throws AttestationError with reason and step; BombyxError BAD_REQUEST for a policy that is none
 */
export async function verifyPublicly(input: VerifyInput): Promise<Acceptance> {
  const policy = await policyOf(input);
  const verdict = await verifyQuote(input.quote, input.collateral, input.at, policy.attestation);
  demandPolicy(verdict, policy);
  return acceptance(verdict, policy, input.at);
}

/** The same for a bundle, whose statement is judged too; its beacon only with a view of the chain. */
export async function verifyBundlePublicly(
  bundle: Bundle,
  input: Omit<VerifyInput, "quote" | "collateral"> & { readonly chain?: ChainView },
): Promise<Acceptance> {
  const quote = fromBase64(bundle.quote);
  const { collateral } = bundle;
  const policy = await policyOf({ ...input, quote, collateral });
  const verdict = await verifyQuote(quote, collateral, input.at, policy.attestation);
  demandPolicy(verdict, policy);
  const beacon = beaconOf(bundle);
  const stated: ChainView = {
    latest: () => Promise.reject(new Error("not asked for here")),
    block: async () => ({ ...beacon, at: input.at }),
  };
  const rows = [{ release: "as quoted", shape: "as quoted", ...verdict.measurement }];
  const judged = await appraise({
    bundle: encodeBundle(bundle),
    policy: {
      ...policy.attestation,
      rows: policy.judgesMeasurements ? policy.attestation.rows : rows,
      // without a policy of one's own, any chain that the statement names is looked at
      chain: policy.judgesMeasurements ? policy.attestation.chain : beacon.chain,
    },
    chain: input.chain ?? stated,
    now: input.at,
    expect: {},
  });
  const { statement } = judged;
  return {
    ...acceptance(verdict, policy, input.at),
    judged: { measurements: policy.judgesMeasurements, reportData: true },
    statement: {
      node: judged.node,
      attestationId: judged.attestationId,
      bootId: statement.boot_id,
      epoch: statement.epoch,
      gpu: statement.gpu.mode,
      models: judged.manifests.map(({ model, ggufSha256 }) => ({ model, ggufSha256 })),
      beacon: { ...statement.beacon, checked: input.chain !== undefined },
    },
  };
}

const policyOf = ({ quote, collateral, root, policy }: VerifyInput) =>
  publicPolicy({
    quote,
    tcbSignerChain: collateral.tcb_info_issuer_chain,
    ...(root && { root }),
    ...(policy !== undefined && { file: policy }),
  });

function demandPolicy(verdict: QuoteVerdict, { attestation, reportData, judgesMeasurements }: PublicPolicy) {
  if (judgesMeasurements && findRow(attestation.rows, verdict.measurement) === undefined)
    throw refusal("MEASUREMENT", `No row of the policy "${attestation.name}" has these registers.`);
  if (reportData !== undefined && reportData !== toHex(verdict.reportData))
    throw refusal("REPORT_DATA", "The quote's report data is not what the policy names.");
}

const acceptance = (
  verdict: QuoteVerdict,
  { attestation, reportData, judgesMeasurements }: PublicPolicy,
  at: number,
): Acceptance => ({
  ok: true,
  status: verdict.tcb.status,
  tcbEvaluation: verdict.tcb.evaluation,
  quoteVersion: verdict.quoteVersion,
  measurements: verdict.measurement,
  ownerRegisters: verdict.ownerRegisters,
  imageHash: verdict.imageHash,
  reportData: toHex(verdict.reportData),
  tdAttributes: verdict.tdAttributes,
  xfam: verdict.xfam,
  fmspc: verdict.tcb.fmspc,
  platformId: verdict.platformId,
  advisories: verdict.tcb.advisories,
  simulated: verdict.simulated,
  root: attestation.root.name,
  checkedAt: new Date(at).toISOString(),
  validUntil: new Date(verdict.validUntil).toISOString(),
  judged: { measurements: judgesMeasurements, reportData: reportData !== undefined },
});

const beaconSchema = z.object({
  beacon: z.object({ chain: z.string(), seqno: z.int(), hash: z.string() }),
});

/** What the statement says its beacon is; `appraise` refuses a statement that is none. */
export function beaconOf({ statement }: Bundle): { chain: string; seqno: number; hash: string } {
  try {
    return beaconSchema.parse(JSON.parse(fromUtf8(fromBase64(statement)))).beacon;
  } catch {
    return { chain: "", seqno: 0, hash: "" };
  }
}
