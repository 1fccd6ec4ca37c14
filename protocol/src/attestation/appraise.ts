import type { KemPublicKey, Suite } from "../session/handshake.ts";
import { equalBytes, ready } from "../session/sodium.ts";
import { fromBase64, fromHex, toHex } from "../wire/encoding.ts";
import { type Bundle, parseBundle } from "./bundle.ts";
import type { ChainView } from "./chain-view.ts";
import { demand, refusal } from "./error.ts";
import type { TrustMemory } from "./memory.ts";
import type { AttestationPolicy, MeasurementRow, ReleaseKeys } from "./policy.ts";
import { demandRegistered, type HostingClass, type Registry, type RegistryState } from "./registry.ts";
import { findRow, type ReleaseManifest, releaseKeysId, verifyRelease } from "./release.ts";
import {
  attestationId,
  gpuEvidenceHash,
  type ModelManifest,
  reportData,
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
import { demandInstant, type QuoteVerdict, type TcbVerdict, verifyQuote } from "./verify-quote.ts";

/** A verdict is kept no longer than this (PROTOCOL §4 step 12). */
const verdictMs = 3_600_000;

export interface Appraisal {
  /** The exact JSON bytes of the bundle. */
  readonly bundle: Uint8Array;
  readonly policy: AttestationPolicy;
  readonly chain: ChainView;
  /** Asked only by a policy that requires one. */
  readonly registry?: Registry;
  /** What this client has seen, so that a rollback is noticed. */
  readonly memory?: TrustMemory;
  /** ms since epoch, of the device. */
  readonly now: number;
  readonly expect: Expectation;
}

/** What a client may rely on until `validUntil`. */
export interface Verdict {
  readonly tee: "tdx";
  /** True when only a simulation stands behind it; screens say so. */
  readonly simulated: boolean;
  /** Name of the policy that admitted the node. */
  readonly policy: string;
  readonly node: string;
  readonly attestationId: string;
  readonly statement: Statement;
  /** The models loaded, as their manifests describe them. */
  readonly manifests: readonly ModelManifest[];
  /** Key of the handshake, and the best suite that the node speaks. */
  readonly kem: KemPublicKey;
  readonly suite: Suite;
  /** Ed25519 key of receipts. */
  readonly sigPk: Uint8Array;
  readonly platformId: string;
  /** Where the registry says that the machine stands; undefined under a policy without a registry. */
  readonly hosting: HostingClass | undefined;
  readonly tcb: TcbVerdict;
  readonly quoteVersion: 4 | 5;
  /** Version of the signed release; undefined where the policy itself lists the rows. */
  readonly releaseVersion: number | undefined;
  /** ms since epoch: the quote is no older than its beacon. */
  readonly beaconAt: number;
  /** The release that runs there. */
  readonly row: MeasurementRow;
  /** Cocoon's image hash. */
  readonly imageHash: string;
  /** ms since epoch. */
  readonly validUntil: number;
}

/**
 * PROTOCOL §4 steps 1–11: whether a prompt may be sealed to this node. Fails closed. Step 11 is asked
 * again before every session, with `demandRegistered`.
 * @throws AttestationError with the reason and step of the first check that failed
 */
export async function appraise(appraisal: Appraisal): Promise<Verdict> {
  const { bundle: bytes, policy, chain, now, expect, memory } = appraisal;
  await ready;
  demandInstant(now);
  const bundle = parseBundle(bytes);
  const statementBytes = readStatementBytes(bundle.statement);

  const quote = await verifyQuote(fromBase64(bundle.quote), bundle.collateral, now, policy, memory);
  const lists = await registryLists(appraisal);
  const release = lists && policy.release ? releaseOf(bundle, policy.release, lists, appraisal) : undefined;
  if (release) demandFloors(quote, release);
  const row = demandRow(quote, release?.rows ?? policy.rows, policy);

  const committed = await reportData(statementBytes);
  demand(
    equalBytes(quote.reportData, committed),
    "REPORT_DATA",
    "The statement is not the one that the quote commits to; the keys in it are not the node's.",
  );
  const id = toHex(attestationId(committed));
  demand(
    expect.attestationId === undefined || expect.attestationId === id,
    "ATTESTATION_ID",
    "The bundle is genuine, but not the one that was asked for.",
  );

  const statement = parseStatement(statementBytes);
  const keys = demandKeys(statement);
  demandNode(statement, bundle.link, expect);
  demandManifests(statement, bundle.manifests, expect, release?.models);
  demandGpu(statement, bundle, policy);
  demand(
    expect.challenge === undefined || expect.challenge === statement.challenge,
    "CHALLENGE",
    "The quote does not answer this client's challenge.",
  );
  const block = await demandBeacon(statement, policy, chain, now);
  const { platformId, imageHash } = quote;
  const hosting =
    policy.registry === "required" && lists
      ? demandRegistered({ platformId, imageHash, bootId: statement.boot_id }, lists, now)
      : undefined;

  return {
    tee: "tdx",
    simulated: quote.simulated,
    policy: policy.name,
    node: statement.node,
    attestationId: id,
    statement,
    manifests: bundle.manifests,
    ...keys,
    sigPk: fromHex(statement.sig_pk),
    platformId,
    hosting,
    tcb: quote.tcb,
    quoteVersion: quote.quoteVersion,
    releaseVersion: release?.version,
    beaconAt: block.at,
    row,
    imageHash,
    validUntil: Math.min(
      quote.validUntil,
      block.at + policy.beaconMaxAgeMs,
      now + verdictMs,
      release?.notAfter ?? Number.POSITIVE_INFINITY,
    ),
  };
}

/** @throws AttestationError REGISTRY_VIEW when the policy needs lists and there are none. */
async function registryLists({ policy, registry }: Appraisal): Promise<RegistryState | undefined> {
  if (policy.registry === "none" && policy.release === null) return undefined;
  // Before there is a release nothing can pass; the reason should say that, not that a list is missing.
  if (policy.release === null && policy.rows.length === 0) return undefined;
  if (registry === undefined)
    throw refusal("REGISTRY_VIEW", `The policy "${policy.name}" needs a registry, and this client has none.`);
  return registry.lists();
}

/** Step 8: what the bundle's release names, and never an older one than this client has accepted. */
function releaseOf(
  bundle: Bundle,
  keys: ReleaseKeys,
  registry: RegistryState,
  { memory, now }: Appraisal,
): ReleaseManifest {
  const id = releaseKeysId(keys);
  const seen = memory?.recall();
  const seenVersion = seen?.releases[id] ?? 0;
  const release = verifyRelease(bundle.release, { keys, registry, seenVersion, now });
  if (seen && release.version > seenVersion)
    memory?.remember({ ...seen, releases: { ...seen.releases, [id]: release.version } });
  return release;
}

/** Steps 3 and 4 again, by the floors of the release. */
function demandFloors({ tcb }: QuoteVerdict, { floors }: ReleaseManifest): void {
  demand(
    tcb.crlNumber >= floors.crlNumber,
    "CRL_ROLLBACK",
    `A revocation list has number ${tcb.crlNumber}; the release wants ${floors.crlNumber} or later.`,
  );
  demand(
    tcb.evaluation >= floors.tcbEvaluation,
    "COLLATERAL_EVALUATION",
    `The collateral is of evaluation ${tcb.evaluation}; the release wants ${floors.tcbEvaluation} or later.`,
  );
}

/** Step 8: one whole row, because registers of different rows would admit a mixture. */
function demandRow(
  { measurement }: QuoteVerdict,
  rows: readonly MeasurementRow[],
  policy: AttestationPolicy,
): MeasurementRow {
  const row = findRow(rows, measurement);
  if (row === undefined)
    throw refusal(
      "MEASUREMENT",
      `The virtual machine runs no release that the policy "${policy.name}" lists.`,
    );
  return row;
}

function demandGpu(statement: Statement, bundle: Bundle, policy: AttestationPolicy): void {
  const { mode, evidence } = statement.gpu;
  demand(
    policy.gpuModes.includes(mode),
    "GPU_MODE",
    `The node's GPU mode is "${mode}"; this policy admits ${policy.gpuModes.join(", ")}.`,
  );
  const carried = bundle.gpu === null ? null : toHex(gpuEvidenceHash(fromBase64(bundle.gpu)));
  demand(
    carried === evidence && (mode === "cc") === (evidence !== null),
    "GPU_EVIDENCE",
    "The bundle's GPU evidence is not what the statement names for this mode.",
  );
}
