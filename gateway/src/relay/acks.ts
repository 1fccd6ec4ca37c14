import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Ack, GatewayControlMessage } from "@bombyx/protocol/wire";
import type { Standing } from "../ledger/ledger.ts";
import { ackHash } from "./ack-hash.ts";

/** What an Ack says besides the ledger's word: where it can be held against the operator. */
export interface AckTerms {
  /** Network, vault and NodeAccount that pay a node; hashes of addresses, hex. */
  placeOf(node: string): Pick<Ack, "globalId" | "vault" | "account">;
  /** By which everything that the ledger holds now is committed at the latest. */
  epoch(): number;
  /** Part of what stands in the ledger that may come in a later epoch than {@link epoch}. */
  heldNano(standing: Standing): bigint;
}

const nothing = "00".repeat(32);

/** Of a gateway that settles nothing on chain: nobody can dispute with its Acks. */
export const unsettledTerms: AckTerms = {
  placeOf: () => ({ globalId: 0, vault: nothing, account: nothing }),
  epoch: () => 0,
  heldNano: () => 0n,
};

/** Signs what the gateway acknowledges to nodes (SETTLEMENT "Acks"). The key moves no money. */
export class AckSigner {
  /** Hex. */
  readonly publicKey: string;
  readonly #key: KeyObject;
  readonly #terms: AckTerms;
  readonly #onAck: (node: string, standing: Standing) => void;

  /** @param onAck told what each node is acknowledged. */
  constructor(key: KeyObject, terms: AckTerms, onAck: (node: string, standing: Standing) => void = () => {}) {
    this.#key = key;
    this.#terms = terms;
    this.#onAck = onAck;
    const { x = "" } = createPublicKey(key).export({ format: "jwk" });
    this.publicKey = Buffer.from(x, "base64url").toString("hex");
  }

  /** The message that answers a receipt which came on `stream`. */
  acknowledge(stream: number, node: string, standing: Standing): GatewayControlMessage {
    this.#onAck(node, standing);
    return { t: "ack", stream, ...this.signed(node, standing) };
  }

  /** The same to whom a receipt is shown: a node's total of then, under the terms of now. */
  signed(node: string, standing: Standing): { ack: Ack; signature: string } {
    const ack = this.ackOf(node, standing);
    return { ack, signature: sign(null, ackHash(ack), this.#key).toString("hex") };
  }

  ackOf(node: string, standing: Standing): Ack {
    const terms = this.#terms;
    return {
      ...terms.placeOf(node),
      index: standing.index,
      epoch: terms.epoch(),
      n: standing.n,
      cumulativeNano: standing.cumulativeNano.toString(),
      heldNano: terms.heldNano(standing).toString(),
      receiptsHash: standing.receiptsHash,
    };
  }
}

/** The ack key of this data directory, made at first start. */
export function loadAckKey(dataDir: string): KeyObject {
  const path = join(dataDir, "ack-key.pem");
  try {
    return createPrivateKey(readFileSync(path));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  const { privateKey } = generateKeyPairSync("ed25519");
  writeFileSync(path, privateKey.export({ format: "pem", type: "pkcs8" }), { mode: 0o600, flag: "wx" });
  return privateKey;
}
