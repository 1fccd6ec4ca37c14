import {
  billedUnits,
  detailHash,
  runningDetailHash,
  signReceipt,
  type TokenCounts,
} from "@bombyx/protocol/receipt";
import {
  concat,
  fromHex,
  type Price,
  type Receipt,
  type ReceiptDetail,
  type SignedReceipt,
  toHex,
} from "@bombyx/protocol/wire";

/** What a receipt says of a request from its start. */
export interface Terms {
  readonly attestationId: string;
  readonly session: string;
  readonly request: number;
  readonly idempotencyId: string;
  readonly manifest: string;
  readonly price: Price;
  readonly coefficient: number;
  readonly capUnits: number;
  readonly ceilingUnits: number;
  readonly requestHash: string;
}

/** Frames sealed so far, as a receipt states them. */
export interface FramesSoFar {
  readonly frames: number;
  readonly framesHash: Uint8Array;
}

/** Counts tokens into units and signs the receipts of one request (PROTOCOL §8). */
export class Meter {
  readonly #terms: Terms;
  readonly #nodeToClient: Uint8Array;
  readonly #sigSecretKey: Uint8Array;

  constructor(terms: Terms, nodeToClient: Uint8Array, sigSecretKey: Uint8Array) {
    this.#terms = terms;
    this.#nodeToClient = nodeToClient;
    this.#sigSecretKey = sigSecretKey;
  }

  /** Receipt over what was delivered so far; the last one settles when the node is lost. */
  running(sealed: FramesSoFar, counts: TokenCounts): SignedReceipt {
    const detail = runningDetailHash(this.#nodeToClient, this.#terms.request, counts);
    return this.#sign(sealed, counts, "running", detail);
  }

  /** Payload of a checkpoint part: the counts, and the signature of the running receipt they make. */
  checkpoint(sealed: FramesSoFar, counts: TokenCounts): Uint8Array {
    const numbers = new Uint8Array(16);
    const view = new DataView(numbers.buffer);
    view.setUint32(0, counts.promptTokens);
    view.setUint32(4, counts.cachedTokens);
    view.setUint32(8, counts.completionTokens);
    view.setUint32(12, counts.reasoningTokens);
    return concat(numbers, fromHex(this.running(sealed, counts).signature));
  }

  final(sealed: FramesSoFar, detail: ReceiptDetail, finish: "done" | "cancelled"): SignedReceipt {
    return this.#sign(sealed, detail, finish, detailHash(detail));
  }

  #sign(
    { frames, framesHash }: FramesSoFar,
    counts: TokenCounts,
    finish: Receipt["finish"],
    hash: Uint8Array,
  ): SignedReceipt {
    const { price, ...terms } = this.#terms;
    const units = Math.min(billedUnits(counts, terms.coefficient, price), terms.capUnits, terms.ceilingUnits);
    const receipt: Receipt = {
      v: 1,
      ...terms,
      priceId: price.id,
      units,
      frames,
      finish,
      framesHash: toHex(framesHash),
      detailHash: toHex(hash),
    };
    return signReceipt(receipt, this.#sigSecretKey);
  }
}
