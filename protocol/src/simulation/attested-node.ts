import { type Bundle, encodeBundle } from "../attestation/bundle.ts";
import type { Block } from "../attestation/chain-view.ts";
import {
  attestationId,
  bootBinding,
  type ModelManifest,
  manifestHash,
  nodeId,
  reportData,
  type Statement,
  statementBytes,
} from "../attestation/statement.ts";
import { type KemKeyPair, type KeyPair, newKemKeyPair } from "../session/handshake.ts";
import { newSigningKeyPair, randomBytes, sign } from "../session/signing.ts";
import { ready } from "../session/sodium.ts";
import { toBase64, toHex } from "../wire/encoding.ts";
import type { QuoteVariant, SimulatedWorld } from "./world.ts";

export interface AttestedNodeOptions {
  readonly world: SimulatedWorld;
  /** ms since epoch: when the collateral is fetched. */
  readonly now: number;
  readonly beacon: Pick<Block, "chain" | "seqno" | "hash">;
  readonly manifests: readonly ModelManifest[];
  /** Changes to what the node would state; the quote commits to the result. */
  readonly statement?: Partial<Statement>;
  /** The owner's link key. @default a new one */
  readonly link?: KeyPair;
  readonly payout?: string;
  readonly quote?: QuoteVariant;
}

/** A node as it stands after its first quote, with its secrets: for tests of those who meet one. */
export interface AttestedNode {
  readonly bundle: Bundle;
  /** The exact bytes that the gateway would serve. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly statement: Statement;
  readonly node: string;
  readonly attestationId: string;
  readonly kem: KemKeyPair;
  readonly sig: KeyPair;
  readonly link: KeyPair;
}

/** Keys and words of a node before anything vouches for them. */
export function draftNode(options: Omit<AttestedNodeOptions, "world" | "now" | "quote">) {
  const { beacon, manifests, payout = "owner" } = options;
  const link = options.link ?? newSigningKeyPair();
  const sig = newSigningKeyPair();
  const kem = newKemKeyPair();
  const bootId = randomBytes(16);
  const id = toHex(kem.id);
  const node = toHex(nodeId(link.publicKey, payout));
  const statement: Statement = {
    v: 1,
    node,
    boot_id: toHex(bootId),
    epoch: 0,
    beacon: { chain: beacon.chain, seqno: beacon.seqno, hash: beacon.hash },
    challenge: null,
    kem: [
      { alg: "x25519", id, pk: toHex(kem.x25519.publicKey) },
      ...(kem.xwing ? [{ alg: "xwing" as const, id, pk: toHex(kem.xwing.publicKey) }] : []),
    ],
    sig_pk: toHex(sig.publicKey),
    manifests: manifests.map(manifestHash).sort(),
    gpu: { mode: "none", evidence: null },
    suites: kem.xwing ? [1, 2] : [1],
    ...options.statement,
  };
  const linked = {
    linkPk: toHex(link.publicKey),
    payout,
    signature: toHex(sign(bootBinding(bootId, sig.publicKey), link.privateKey)),
  };
  return { statement, linked, node, kem, sig, link };
}

export async function attestedNode(options: AttestedNodeOptions): Promise<AttestedNode> {
  await ready;
  const { world, now, manifests } = options;
  const { statement, linked, ...keys } = draftNode(options);
  const bytes = statementBytes(statement);
  const committed = await reportData(bytes);
  const bundle: Bundle = {
    v: 1,
    tee: "tdx",
    quote: toBase64(await world.quote(committed, options.quote)),
    statement: toBase64(bytes),
    collateral: await world.collateral(now),
    link: linked,
    manifests: [...manifests],
    gpu: null,
    release: null,
  };
  return {
    bundle,
    bytes: encodeBundle(bundle),
    statement,
    attestationId: toHex(attestationId(committed)),
    ...keys,
  };
}
