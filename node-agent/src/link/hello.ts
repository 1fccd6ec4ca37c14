import { concat, fromHex, type NodeControl, toHex, utf8 } from "@bombyx/protocol/wire";
import type { LinkIdentity } from "../enclave/boot.ts";

/** What this program calls itself to a gateway. */
export const agent = "bombyx-node/0.1.0";

/** Who a node says it is. */
export interface Introduction {
  readonly identity: LinkIdentity;
  readonly name: string;
  /** Once, for a node that the gateway has not seen. */
  readonly pairingCode?: string | undefined;
  /** Price coefficient in 1/1000. */
  readonly coefficient: number;
}

/** Answers a gateway's challenge: this node holds the link key that it names. */
export const hello = (
  nonce: string,
  { identity, name, pairingCode, coefficient }: Introduction,
): NodeControl => ({
  t: "hello",
  v: 1,
  agent,
  name,
  linkPk: toHex(identity.linkPk),
  payout: identity.payout,
  signature: toHex(identity.sign(concat(utf8("bombyx/link-auth/v1\0"), fromHex(nonce)))),
  ...(pairingCode !== undefined && { pairingCode }),
  coefficient,
});
