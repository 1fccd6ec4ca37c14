import {
  billedUnits,
  capUnits,
  detailHash,
  runningDetailHash,
  signReceipt,
  type TokenCounts,
} from "@bombyx/protocol/receipt";
import {
  type AnswerPart,
  AnswerSealer,
  answerFrameCapacity,
  FramesHash,
  randomBytes,
  requestBucketOf,
  requestHash,
  type SessionKeys,
  sessionIdHex,
} from "@bombyx/protocol/session";
import {
  type AnswerDelta,
  answerType,
  BombyxError,
  type Candidate,
  concat,
  fromHex,
  type Price,
  type Receipt,
  type ReceiptDetail,
  type RequestHead,
  type SealedRequest,
  type SignedReceipt,
  toHex,
  utf8,
} from "@bombyx/protocol/wire";
import type { Scripted } from "./script.ts";

export interface AnswerTerms {
  readonly keys: SessionKeys;
  readonly head: RequestHead;
  readonly request: SealedRequest;
  readonly sealed: Uint8Array;
  readonly candidate: Candidate;
  readonly price: Price;
  readonly sigSecretKey: Uint8Array;
}

const room = answerFrameCapacity - 3 - 3 - 80;

/** One scripted answer, sealed frame by frame as a node seals it: deltas, checkpoint, detail, receipt. */
export class ScriptedAnswer {
  readonly frames: Uint8Array[] = [];
  /** The last receipt; none when the node refused. */
  readonly receipt: SignedReceipt | undefined;
  readonly #terms: AnswerTerms;
  readonly #sealer: AnswerSealer;
  readonly #hash = new FramesHash();
  #counts: TokenCounts;

  constructor(terms: AnswerTerms, scripted: Scripted | BombyxError) {
    this.#terms = terms;
    this.#sealer = new AnswerSealer(terms.keys, terms.head.request);
    const failed = scripted instanceof BombyxError;
    this.#counts = {
      promptTokens: failed ? 0 : (scripted.promptTokens ?? 10),
      cachedTokens: failed ? 0 : (scripted.cachedTokens ?? 0),
      completionTokens: 0,
      reasoningTokens: 0,
      continuation: terms.head.continuation,
    };
    if (failed) {
      this.#seal([{ type: answerType.error, payload: utf8(JSON.stringify(scripted)) }], true);
      return;
    }
    this.#seal([{ type: answerType.ping, payload: new Uint8Array(0) }]);
    for (const delta of scripted.deltas) this.#say(delta);
    const detail: ReceiptDetail = {
      ...this.#counts,
      finishReason: scripted.finishReason ?? "stop",
      seed: 1,
      sampler: { temperature: 1, topP: 1, topK: 40 },
      salt: toHex(randomBytes(32)),
    };
    const bytes = utf8(JSON.stringify(detail));
    const half = bytes.length >> 1;
    this.#seal([{ type: answerType.detail, payload: bytes.subarray(0, half) }]);
    this.#seal([{ type: answerType.detail, payload: bytes.subarray(half) }], true);
    this.receipt = signReceipt(this.#receipt("done", toHex(detailHash(detail))), terms.sigSecretKey);
  }

  #say(delta: AnswerDelta): void {
    const line = utf8(`${JSON.stringify(delta)}\n`);
    for (let at = 0; at < line.length; at += room) {
      if (at + room >= line.length) {
        this.#counts = {
          ...this.#counts,
          completionTokens: this.#counts.completionTokens + 1,
          reasoningTokens: this.#counts.reasoningTokens + ("reasoning" in delta ? 1 : 0),
        };
      }
      const payload = line.subarray(at, at + room);
      this.#seal([{ type: answerType.delta, payload }, this.#checkpoint()]);
    }
  }

  #checkpoint(): AnswerPart {
    const { keys, head, sigSecretKey } = this.#terms;
    const hash = toHex(runningDetailHash(keys.nodeToClient, head.request, this.#counts));
    const { signature } = signReceipt(this.#receipt("running", hash), sigSecretKey);
    const counts = new Uint8Array(16);
    const view = new DataView(counts.buffer);
    view.setUint32(0, this.#counts.promptTokens);
    view.setUint32(4, this.#counts.cachedTokens);
    view.setUint32(8, this.#counts.completionTokens);
    view.setUint32(12, this.#counts.reasoningTokens);
    return { type: answerType.checkpoint, payload: concat(counts, fromHex(signature)) };
  }

  #seal(parts: AnswerPart[], final = false): void {
    const frame = this.#sealer.seal(parts, final);
    this.frames.push(frame);
    this.#hash.push(frame);
  }

  #receipt(finish: Receipt["finish"], hash: string): Receipt {
    const { keys, head, request, sealed, candidate, price } = this.#terms;
    const bucketBytes = requestBucketOf(sealed.length);
    const cap = capUnits(
      { bucketBytes, maxTokens: head.maxTokens, continuation: head.continuation },
      candidate.coefficient,
      price,
    );
    return {
      v: 1,
      attestationId: candidate.attestationId,
      session: sessionIdHex(keys),
      request: head.request,
      idempotencyId: head.idempotencyId,
      manifest: candidate.manifest,
      priceId: head.priceId,
      coefficient: candidate.coefficient,
      capUnits: cap,
      ceilingUnits: request.ceilingUnits,
      units: Math.min(billedUnits(this.#counts, candidate.coefficient, price), cap, request.ceilingUnits),
      frames: this.frames.length,
      finish,
      requestHash: toHex(requestHash(sealed)),
      framesHash: toHex(this.#hash.digest),
      detailHash: hash,
    };
  }
}
