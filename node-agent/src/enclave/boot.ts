import { bootBinding, nodeId, openStatementBytes } from "@bombyx/protocol/attestation";
import { type KeyPair, newSigningKeyPair, randomBytes } from "@bombyx/protocol/session";
import { toHex } from "@bombyx/protocol/wire";

/** The owner's identity as the enclave needs it; the link key itself stays outside. */
export interface LinkIdentity {
  readonly linkPk: Uint8Array;
  readonly payout: string;
  /** Signs with the link key. */
  sign(message: Uint8Array): Uint8Array;
}

/** One start of the agent: `sig` signs receipts and nothing else, and lives in this memory only. */
export interface Boot {
  readonly node: string;
  readonly bootId: Uint8Array;
  readonly sig: KeyPair;
  readonly link: { readonly linkPk: string; readonly payout: string; readonly signature: string };
  /** Open tier: the owner's word for a statement, in the place of a quote. Lower-case hex. */
  signOpenly(commitment: Uint8Array): string;
}

export function newBoot(identity: LinkIdentity): Boot {
  const bootId = randomBytes(16);
  const sig = newSigningKeyPair();
  return {
    node: toHex(nodeId(identity.linkPk, identity.payout)),
    bootId,
    sig,
    link: {
      linkPk: toHex(identity.linkPk),
      payout: identity.payout,
      signature: toHex(identity.sign(bootBinding(bootId, sig.publicKey))),
    },
    signOpenly: (commitment) => toHex(identity.sign(openStatementBytes(commitment))),
  };
}
