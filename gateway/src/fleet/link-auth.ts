import { createPublicKey, verify } from "node:crypto";
import { nodeId } from "@bombyx/protocol/attestation";
import { BombyxError, concat, fromHex, type NodeControl, toHex, utf8 } from "@bombyx/protocol/wire";

type Hello = Extract<NodeControl, { t: "hello" }>;

/** The id follows from link key and payout address: a new wallet is a new node. */
export const helloNodeId = ({ linkPk, payout }: Hello): string => toHex(nodeId(fromHex(linkPk), payout));

/**
 * The node holds the link key that it names: it signed "bombyx/link-auth/v1\0" ‖ nonce.
 * @throws BombyxError LINK_AUTH.
 */
export function verifyHello(hello: Hello, nonce: Uint8Array): void {
  const message = concat(utf8("bombyx/link-auth/v1\0"), nonce);
  if (!verifyEd25519(fromHex(hello.linkPk), message, fromHex(hello.signature))) {
    throw new BombyxError("LINK_AUTH", "The signature of hello is not by the link key that it names.");
  }
}

function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    const key = createPublicKey({
      format: "jwk",
      key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(publicKey).toString("base64url") },
    });
    return verify(null, message, key, signature);
  } catch {
    return false;
  }
}
