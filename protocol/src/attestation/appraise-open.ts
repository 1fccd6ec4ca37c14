import type { KemPublicKey, Suite } from "../session/handshake.ts";
import { verifySignature } from "../session/signing.ts";
import { ready } from "../session/sodium.ts";
import { fromHex, toHex } from "../wire/encoding.ts";
import { limits } from "../wire/limits.ts";
import { parseOpenBundle } from "./bundle.ts";
import type { ChainView } from "./chain-view.ts";
import { demand } from "./error.ts";
import {
  attestationId,
  type ModelManifest,
  openCommitment,
  openStatementBytes,
  type Statement,
} from "./statement.ts";
import {
  demandBeacon,
  demandKeys,
  demandManifests,
  demandNode,
  type Expectation,
  parseStatement,
  readStatementBytes,
} from "./statement-checks.ts";
import { demandInstant } from "./verify-quote.ts";

/** A verdict is kept no longer than this, as one on a quote is. */
const verdictMs = 3_600_000;

/**
 * Admits nodes of the open tier, and no others. No schema reads one and no file holds one: whoever trusts the owners of
 * computers says so in code.
 */
export interface OpenPolicy {
  readonly name: "open";
  readonly tee: "none";
  readonly beaconMaxAgeMs: number;
  /** Name of the chain whose blocks are beacons. */
  readonly chain: string;
}

/** The policy `open`. @param chain whose blocks are beacons */
export const openPolicy = (chain = "ton"): OpenPolicy => ({
  name: "open",
  tee: "none",
  beaconMaxAgeMs: limits.beaconMaxAgeMs,
  chain,
});

export interface OpenAppraisal {
  /** The exact JSON bytes of the bundle. */
  readonly bundle: Uint8Array;
  readonly policy: OpenPolicy;
  readonly chain: ChainView;
  /** ms since epoch, of the device. */
  readonly now: number;
  readonly expect: Expectation;
}

/** What a client knows until `validUntil`: whose link key said what. No hardware stands behind any of it. */
export interface OpenVerdict {
  readonly tee: "none";
  /** Nothing is simulated: nothing is claimed. */
  readonly simulated: false;
  readonly policy: "open";
  readonly node: string;
  readonly attestationId: string;
  readonly statement: Statement;
  readonly manifests: readonly ModelManifest[];
  readonly kem: KemPublicKey;
  readonly suite: Suite;
  /** Ed25519 key of receipts. */
  readonly sigPk: Uint8Array;
  /** ms since epoch: the statement is no older than its beacon. */
  readonly beaconAt: number;
  /** ms since epoch. */
  readonly validUntil: number;
}

/**
 * Judges a bundle of the open tier: that the node's owner said this, lately. Whatever is sealed to its keys, that owner
 * can read (PROTOCOL §3): table 1 does not hold.
 * @throws AttestationError with the reason and step of the first check that failed
 */
export async function appraiseOpen(appraisal: OpenAppraisal): Promise<OpenVerdict> {
  const { bundle: bytes, policy, chain, now, expect } = appraisal;
  await ready;
  demandInstant(now);
  const bundle = parseOpenBundle(bytes);
  const statementBytes = readStatementBytes(bundle.statement);
  const commitment = await openCommitment(statementBytes);
  demand(
    verifySignature(
      fromHex(bundle.statementSignature),
      openStatementBytes(commitment),
      fromHex(bundle.link.linkPk),
    ),
    "OPEN_SIGNATURE",
    "The owner's link key did not sign this statement.",
  );
  const id = toHex(attestationId(commitment));
  demand(
    expect.attestationId === undefined || expect.attestationId === id,
    "ATTESTATION_ID",
    "The bundle is genuine, but not the one that was asked for.",
  );
  const statement = parseStatement(statementBytes);
  const keys = demandKeys(statement);
  demandNode(statement, bundle.link, expect);
  demandManifests(statement, bundle.manifests, expect);
  demand(
    statement.gpu.mode !== "cc" && statement.gpu.evidence === null,
    "GPU_EVIDENCE",
    "A node without a quote cannot speak for a GPU's confidential mode.",
  );
  demand(
    expect.challenge === undefined || expect.challenge === statement.challenge,
    "CHALLENGE",
    "The statement does not answer this client's challenge.",
  );
  const block = await demandBeacon(statement, policy, chain, now);
  return {
    tee: "none",
    simulated: false,
    policy: policy.name,
    node: statement.node,
    attestationId: id,
    statement,
    manifests: bundle.manifests,
    ...keys,
    sigPk: fromHex(statement.sig_pk),
    beaconAt: block.at,
    validUntil: Math.min(block.at + policy.beaconMaxAgeMs, now + verdictMs),
  };
}
