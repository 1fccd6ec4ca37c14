import * as z from "zod";
import { base64, count, fromUtf8, hex, nanoText, utf8 } from "./encoding.ts";
import { BombyxError } from "./error.ts";
import { limits } from "./limits.ts";
import { priceSchema } from "./price.ts";
import { nodeProofSchema } from "./settlement.ts";

/**
 * The node link: one outbound WebSocket, `GET /v1/link`, subprotocol `bombyx.link.v1`.
 * Text messages are control (JSON); binary messages carry data behind a fixed 12-byte header
 * `u8 version ‖ u8 kind ‖ u16 0 ‖ u32be stream ‖ u32be index`.
 * A stream is one handshake, request or resumption; the gateway numbers them from 1 per connection.
 */
export const linkSubprotocol = "bombyx.link.v1";
export const linkHeaderBytes = 12;

export const linkKind = {
  // gateway → node
  /** Payload: the client's handshake as posted (prefix and Noise message 1). */
  handshake: 0x01,
  /** Payload: `u16be length ‖ requestHead (JSON) ‖ sealed request`. */
  request: 0x02,
  /** `index`: how many frames the client has been written. Stops generation. */
  cancel: 0x03,
  /** `index`: how many frames the relay wrote to the client; the node stays `limits.windowFrames` ahead at most. */
  window: 0x04,
  /** Payload: resumeHead (JSON); `index`: first frame wanted. */
  resume: 0x05,
  // node → gateway
  /** Payload: `session id (32) ‖ Noise message 2`. */
  handshakeDone: 0x81,
  /** `index`: number of the frame within its request. Payload: the sealed frame. */
  frame: 0x82,
  /** Payload: signedReceipt (JSON). A receipt whose finish is not `running` ends the stream. */
  receipt: 0x83,
  /**
   * Payload: ErrorBody (JSON). Ends the stream; nothing was billed unless a receipt came before. When
   * the reason is sealed in the frames before it, this says EPOCH, NODE_FAILED or BAD_REQUEST, no more.
   */
  failed: 0x84,
} as const;
export type LinkKind = (typeof linkKind)[keyof typeof linkKind];

export interface LinkMessage {
  readonly kind: number;
  readonly stream: number;
  readonly index: number;
  readonly payload: Uint8Array;
}

export function encodeLinkMessage(
  kind: LinkKind,
  stream: number,
  index: number,
  payload: Uint8Array = new Uint8Array(0),
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(linkHeaderBytes + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 1);
  view.setUint8(1, kind);
  view.setUint32(4, stream);
  view.setUint32(8, index);
  bytes.set(payload, linkHeaderBytes);
  return bytes;
}

/** @throws BombyxError BAD_REQUEST when the header is short or of another version. */
export function decodeLinkMessage(bytes: Uint8Array): LinkMessage {
  if (bytes.length < linkHeaderBytes || bytes[0] !== 1 || bytes[2] !== 0 || bytes[3] !== 0) {
    throw new BombyxError("BAD_REQUEST", "A node-link message needs a 12-byte header of version 1.");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, linkHeaderBytes);
  return {
    kind: view.getUint8(1),
    stream: view.getUint32(4),
    index: view.getUint32(8),
    payload: bytes.subarray(linkHeaderBytes),
  };
}

/** What the gateway adds in the clear to a sealed request. */
export const requestHeadSchema = z.strictObject({
  session: hex.b32,
  request: z
    .int()
    .min(0)
    .max(limits.requestsPerSession - 1),
  idempotencyId: hex.b16,
  priceId: hex.b16,
  maxTokens: count,
  /** The gateway's cap in units: what it reserved. */
  capUnits: count,
  /**
   * Takes over from a lost attempt whose prompt was already paid for: prompt and prefix are not
   * billed again, so that nobody pays more than one uninterrupted answer costs.
   */
  continuation: z.boolean(),
});
export type RequestHead = z.infer<typeof requestHeadSchema>;

export const resumeHeadSchema = requestHeadSchema.pick({ session: true, request: true });

export function encodeRequest(head: RequestHead, sealed: Uint8Array): Uint8Array<ArrayBuffer> {
  const json = utf8(JSON.stringify(head));
  const bytes = new Uint8Array(2 + json.length + sealed.length);
  new DataView(bytes.buffer).setUint16(0, json.length);
  bytes.set(json, 2);
  bytes.set(sealed, 2 + json.length);
  return bytes;
}

/** @throws BombyxError BAD_REQUEST when head and body do not parse. */
export function decodeRequest(payload: Uint8Array): { head: RequestHead; sealed: Uint8Array } {
  try {
    const length = new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getUint16(0);
    const head = requestHeadSchema.parse(JSON.parse(fromUtf8(payload.subarray(2, 2 + length))));
    return { head, sealed: payload.subarray(2 + length) };
  } catch (cause) {
    throw new BombyxError("BAD_REQUEST", "A request on the node link needs a head and a sealed body.", {
      cause,
    });
  }
}

const offeredModel = z.strictObject({
  id: z.string().min(1).max(128),
  manifest: hex.b32,
  contextTokens: count,
  /** Sequences that can generate at once. */
  slots: z.int().min(1).max(256),
  /** Measured by the node at start, tokens per second. */
  prefillTokensPerSecond: z.number().nonnegative(),
  decodeTokensPerSecond: z.number().nonnegative(),
  embeddings: z.boolean(),
});
export type OfferedModel = z.infer<typeof offeredModel>;

/** Node → gateway, text. */
export const nodeControlSchema = z.discriminatedUnion("t", [
  /** Answer to `challenge`; `signature` by the link key over "bombyx/link-auth/v1\0" ‖ nonce. */
  z.strictObject({
    t: z.literal("hello"),
    v: z.literal(1),
    agent: z.string().max(64),
    name: z.string().min(1).max(64),
    linkPk: hex.b32,
    payout: z.string().min(1).max(128),
    signature: hex.b64,
    /** Once, for a node that this gateway has not seen. */
    pairingCode: z.string().max(64).optional(),
    /** Price coefficient in 1/1000. */
    coefficient: z.int().min(1).max(limits.coefficient),
  }),
  /** A new epoch's bundle, base64 of its exact JSON; the gateway answers `attested` or `refused`. */
  z.strictObject({ t: z.literal("attest"), bundle: base64 }),
  /** Sent after `attested`, and whenever it changes. */
  z.strictObject({ t: z.literal("offer"), models: z.array(offeredModel).max(32) }),
  z.strictObject({ t: z.literal("load"), running: count, queued: count, sessions: count }),
  /** The node finishes what runs and takes nothing new. */
  z.strictObject({ t: z.literal("draining") }),
]);
export type NodeControl = z.infer<typeof nodeControlSchema>;

/**
 * SETTLEMENT "Acks": the gateway's answer to each receipt. Its ack key signs the hash of the cell that `packAck` of
 * @bombyx/contracts makes of it, so that the node can dispute with it on chain. A gateway that settles nothing on
 * chain has globalId 0 and a vault of 32 zero bytes.
 */
export const ackSchema = z.strictObject({
  globalId: z
    .int()
    .min(-(2 ** 31))
    .max(2 ** 31 - 1),
  /** Hash of the vault's address. */
  vault: hex.b32,
  /** Address hash of the node's NodeAccount; 32 zero bytes when its payout is no basechain address. */
  account: hex.b32,
  /** The node's place in every epoch's tree, for ever. */
  index: count,
  /** Committed by this epoch at the latest. */
  epoch: z
    .int()
    .min(0)
    .max(2 ** 32 - 1),
  /** Receipts acknowledged so far, this one included. */
  n: count,
  /** Strings, since the Ack is signed as it stands. */
  cumulativeNano: nanoText,
  /** Part of it that may come in a later epoch. */
  heldNano: nanoText,
  /** BLAKE2b-256 chain: H(previous ‖ H(receipt)). */
  receiptsHash: hex.b32,
});
export type Ack = z.infer<typeof ackSchema>;

/** Gateway → node, text. */
export const gatewayControlSchema = z.discriminatedUnion("t", [
  z.strictObject({ t: z.literal("challenge"), nonce: hex.b32 }),
  z.strictObject({ t: z.literal("welcome"), node: hex.b32, prices: z.array(priceSchema), ackPk: hex.b32 }),
  /** `prices`: one row for each model of this bundle; they add to those of `welcome`. */
  z.strictObject({
    t: z.literal("attested"),
    attestationId: hex.b32,
    prices: z.array(priceSchema).max(32).default([]),
  }),
  /** Answers one receipt; `stream` is the one that it came on. */
  z.strictObject({ t: z.literal("ack"), stream: count, ack: ackSchema, signature: hex.b64 }),
  /**
   * The node's leaf in an epoch: before its root is committed, and again after a reconnection (the last final one,
   * then the pending one).
   */
  nodeProofSchema.extend({ t: z.literal("proof") }),
  /** The link closes after it. `fatal`: trying again cannot help. */
  z.strictObject({ t: z.literal("refused"), code: z.string(), message: z.string(), fatal: z.boolean() }),
  /** The gateway is going away: finish streams, then connect again. */
  z.strictObject({ t: z.literal("draining") }),
]);
export type GatewayControl = z.infer<typeof gatewayControlSchema>;
/** As sent: before nanoTON strings become bigint. */
export type GatewayControlMessage = z.input<typeof gatewayControlSchema>;
