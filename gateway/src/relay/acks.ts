import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { domainBytes } from "@bombyx/protocol/receipt";
import type { Ack, GatewayControlMessage } from "@bombyx/protocol/wire";
import type { AckState } from "../ledger/ledger.ts";

/** Signs what the gateway acknowledges to nodes (SETTLEMENT "Acks"). The key moves no money. */
export class AckSigner {
  /** Hex. */
  readonly publicKey: string;
  readonly #key: KeyObject;
  readonly #network: string;
  readonly #onAck: (node: string, state: AckState) => void;

  /** @param onAck told what each node is acknowledged. */
  constructor(key: KeyObject, network: string, onAck: (node: string, state: AckState) => void = () => {}) {
    this.#key = key;
    this.#network = network;
    this.#onAck = onAck;
    const { x = "" } = createPublicKey(key).export({ format: "jwk" });
    this.publicKey = Buffer.from(x, "base64url").toString("hex");
  }

  /** The message that answers a receipt which came on `stream`. */
  acknowledge(stream: number, node: string, state: AckState): GatewayControlMessage {
    this.#onAck(node, state);
    const ack: Ack = {
      network: this.#network,
      node,
      n: state.n,
      // Epochs begin with settlement on chain; until then everything is in the first, and nothing is held.
      epoch: 0,
      cumulativeNano: state.cumulativeNano.toString(),
      heldNano: "0",
      receiptsHash: state.receiptsHash,
    };
    const signature = sign(null, domainBytes("bombyx/ack/v1\0", ack), this.#key).toString("hex");
    return { t: "ack", stream, ack, signature };
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
