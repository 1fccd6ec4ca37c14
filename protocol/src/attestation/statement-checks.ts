import { canonicalBytes } from "../receipt/canonical.ts";
import type { KemPublicKey, Suite } from "../session/handshake.ts";
import { verifySignature } from "../session/signing.ts";
import { equalBytes } from "../session/sodium.ts";
import { fromBase64, fromHex, fromUtf8, toHex } from "../wire/encoding.ts";
import { limits } from "../wire/limits.ts";
import type { Link } from "./bundle.ts";
import type { Block, ChainView } from "./chain-view.ts";
import { demand, refusal } from "./error.ts";
import {
  bootBinding,
  type ModelManifest,
  manifestHash,
  nodeId,
  type Statement,
  statementSchema,
} from "./statement.ts";

/** What the caller already knows of the node it wants; lower-case hex. */
export interface Expectation {
  readonly node?: string;
  readonly attestationId?: string;
  /** Hash of the model manifest that is to answer. */
  readonly manifest?: string;
  /** The 32 bytes that the caller asked the node to put into a fresh quote. */
  readonly challenge?: string;
}

/** The exact bytes, of a length that is read. @throws AttestationError STATEMENT_FORMAT */
export function readStatementBytes(statement: string): Uint8Array<ArrayBuffer> {
  const bytes = fromBase64(statement);
  demand(
    bytes.length <= limits.statementBytes,
    "STATEMENT_FORMAT",
    `The statement has ${bytes.length} bytes; at most ${limits.statementBytes} are read.`,
  );
  return bytes;
}

/** @throws AttestationError STATEMENT_FORMAT */
export function parseStatement(bytes: Uint8Array): Statement {
  try {
    const value: unknown = JSON.parse(fromUtf8(bytes));
    if (!equalBytes(canonicalBytes(value), bytes)) throw new RangeError("not canonical JSON");
    return statementSchema.parse(value);
  } catch (cause) {
    throw refusal("STATEMENT_FORMAT", "The statement is not canonical JSON of version 1.", cause);
  }
}

/** One key per algorithm, under one id; suite 2 exactly when there is an X-Wing key. */
export function demandKeys(statement: Statement): { kem: KemPublicKey; suite: Suite } {
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

export function demandNode(statement: Statement, link: Link, expect: Expectation): void {
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

export function demandManifests(
  statement: Statement,
  manifests: readonly ModelManifest[],
  expect: Expectation,
  /** Hashes that a release lists; empty for any. */
  released: readonly string[] = [],
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
  demand(
    released.length === 0 || hashes.every((hash) => released.includes(hash)),
    "MANIFEST_UNRELEASED",
    "The node has a model loaded that its release does not list.",
  );
}

/** Step 10: the quote is no older than a block whose hash nobody knew before. */
export async function demandBeacon(
  statement: Statement,
  policy: { readonly chain: string; readonly beaconMaxAgeMs: number },
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
