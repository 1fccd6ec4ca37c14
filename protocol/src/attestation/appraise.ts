import { canonicalBytes } from "../receipt/canonical.ts";
import type { KemPublicKey, Suite } from "../session/handshake.ts";
import { verifySignature } from "../session/signing.ts";
import { equalBytes, ready } from "../session/sodium.ts";
import { fromBase64, fromHex, fromUtf8, toHex } from "../wire/encoding.ts";
import { limits } from "../wire/limits.ts";
import { type Bundle, parseBundle } from "./bundle.ts";
import type { Block, ChainView } from "./chain-view.ts";
import { demand, refusal } from "./error.ts";
import type { TrustMemory } from "./memory.ts";
import type { AttestationPolicy, MeasurementRow, ReleaseKeys } from "./policy.ts";
import { demandRegistered, type HostingClass, type Registry, type RegistryState } from "./registry.ts";
import { findRow, type ReleaseManifest, releaseKeysId, verifyRelease } from "./release.ts";
import {
  attestationId,
  bootBinding,
  gpuEvidenceHash,
  type ModelManifest,
  manifestHash,
  nodeId,
  reportData,
  type Statement,
  statementSchema,
} from "./statement.ts";
import { demandInstant, type QuoteVerdict, type TcbVerdict, verifyQuote } from "./verify-quote.ts";

/** A verdict is kept no longer than this (PROTOCOL §4 step 12). */
const verdictMs = 3_600_000;

/** What the caller already knows of the node it wants; lower-case hex. */
export interface Expectation {
  readonly node?: string;
  readonly attestationId?: string;
  /** Hash of the model manifest that is to answer. */
  readonly manifest?: string;
  /** The 32 bytes that the caller asked the node to put into a fresh quote. */
  readonly challenge?: string;
}

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
  const statementBytes = fromBase64(bundle.statement);
  demand(
    statementBytes.length <= limits.statementBytes,
    "STATEMENT_FORMAT",
    `The statement has ${statementBytes.length} bytes; at most ${limits.statementBytes} are read.`,
  );

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
  demandNode(statement, bundle, expect);
  demandManifests(statement, bundle, expect, release);
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

function parseStatement(bytes: Uint8Array): Statement {
  try {
    const value: unknown = JSON.parse(fromUtf8(bytes));
    if (!equalBytes(canonicalBytes(value), bytes)) throw new RangeError("not canonical JSON");
    return statementSchema.parse(value);
  } catch (cause) {
    throw refusal("STATEMENT_FORMAT", "The statement is not canonical JSON of version 1.", cause);
  }
}

/** One key per algorithm, under one id; suite 2 exactly when there is an X-Wing key. */
function demandKeys(statement: Statement): { kem: KemPublicKey; suite: Suite } {
  const { kem, suites } = statement;
  const x25519 = kem.find(({ alg }) => alg === "x25519");
  const xwing = kem.find(({ alg }) => alg === "xwing");
  const suite = suites.includes(2) ? 2 : 1;
  demand(
    x25519 !== undefined &&
      kem.every(({ id }) => id === x25519.id) &&
      kem.length === (xwing === undefined ? 1 : 2) &&
      (suite === 2) === (xwing !== undefined) &&
      new Set(suites).size === suites.length,
    "STATEMENT_KEYS",
    "The statement's keys and suites do not fit together.",
  );
  const pair = { id: fromHex(x25519.id), x25519: fromHex(x25519.pk) };
  return { kem: xwing === undefined ? pair : { ...pair, xwing: fromHex(xwing.pk) }, suite };
}

function demandNode(statement: Statement, { link }: Bundle, expect: Expectation): void {
  demand(
    expect.node === undefined || expect.node === statement.node,
    "NODE",
    "The bundle is genuine, but of another node than the one that was asked for.",
  );
  const linkPk = fromHex(link.linkPk);
  demand(
    toHex(nodeId(linkPk, link.payout)) === statement.node,
    "NODE_ID",
    "The node id is not that of the bundle's link key and payout address.",
  );
  const signed = bootBinding(fromHex(statement.boot_id), fromHex(statement.sig_pk));
  demand(
    verifySignature(fromHex(link.signature), signed, linkPk),
    "LINK_SIGNATURE",
    "The owner's link key did not sign this boot of the node.",
  );
}

function demandManifests(
  statement: Statement,
  { manifests }: Bundle,
  expect: Expectation,
  release: ReleaseManifest | undefined,
): void {
  const hashes = manifests.map(manifestHash);
  demand(
    hashes.length === statement.manifests.length &&
      hashes.every((hash) => statement.manifests.includes(hash)) &&
      new Set(hashes).size === hashes.length,
    "MANIFEST_MISSING",
    "The bundle's model manifests are not exactly those that the statement names.",
  );
  demand(
    expect.manifest === undefined || hashes.includes(expect.manifest),
    "MANIFEST",
    "The node does not attest the model that was asked for.",
  );
  const released = release?.models ?? [];
  demand(
    released.length === 0 || hashes.every((hash) => released.includes(hash)),
    "MANIFEST_UNRELEASED",
    "The node has a model loaded that its release does not list.",
  );
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

/** Step 10: the quote is no older than a block whose hash nobody knew before. */
async function demandBeacon(
  statement: Statement,
  policy: AttestationPolicy,
  chain: ChainView,
  now: number,
): Promise<Block> {
  const { beacon } = statement;
  demand(
    beacon.chain === policy.chain,
    "BEACON_CHAIN",
    `The statement's beacon is a block of "${beacon.chain}", not of "${policy.chain}".`,
  );
  const block = await chain.block(beacon.seqno);
  if (block === undefined || block.hash !== beacon.hash || block.chain !== policy.chain)
    throw refusal(
      "BEACON_UNKNOWN",
      `The chain has no block ${beacon.seqno} with the hash that the statement names.`,
    );
  demand(
    now >= block.at - limits.clockSkewMs,
    "CLOCK",
    "This device's clock is more than 5 minutes behind the chain; set it and try again.",
  );
  demand(
    now - block.at <= policy.beaconMaxAgeMs,
    "BEACON_AGE",
    "The node's quote is older than this policy allows; it must attest again.",
  );
  return block;
}
