import { readFileSync } from "node:fs";
import { type Block, type ModelManifest, manifestHash } from "@bombyx/protocol/attestation";
import { signReceipt } from "@bombyx/protocol/receipt";
import {
  AnswerSealer,
  blake2b256,
  FramesHash,
  openRequest,
  ready,
  requestHash,
  respondToHandshake,
  type SessionKeys,
  sign,
} from "@bombyx/protocol/session";
import { attestedNode, SimulatedWorld } from "@bombyx/protocol/simulation";
import {
  answerType,
  concat,
  decodeLinkMessage,
  decodeRequest,
  encodeLinkMessage,
  fromHex,
  gatewayControlSchema,
  limits,
  linkKind,
  linkSubprotocol,
  type NodeControl,
  type Receipt,
  type RequestHead,
  toBase64,
  toHex,
  utf8,
} from "@bombyx/protocol/wire";
import { WebSocket } from "ws";
import { nowUs } from "./clock.ts";
import { paced } from "./pace.ts";

/**
 * The engine behind our gateway: a node link with a paced token source behind it. It attests like a node,
 * and shakes hands like one; then each frame carries the µs stamp at which it was written.
 * SEALED=1: frames are sealed and opened as in the product. SEALED=0: frames of the same size, not sealed.
 * That is the only difference; the gateway cannot tell.
 */
const env = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`link-source needs ${name}`);
  return value;
};
const sealed = env("SEALED") === "1";
const pace = { tokens: Number(env("FRAMES")), gapMs: Number(env("GAP_MS")) };

await ready;
const manifest: ModelManifest = {
  v: 1,
  model: "paced",
  ggufSha256: "00".repeat(32),
  engine: "paced token source",
  chatTemplateHash: "00".repeat(32),
  contextTokens: 1_024,
  sampler: { temperatureMilli: 0, topPMilli: 1_000, topK: 0 },
  kvTypes: { k: "f16", v: "f16" },
  adapters: [],
  draftModel: null,
  engineFlags: [],
};
const slots = 256;
const payout = "unset";
const { attestationId, bytes, kem, sig, link } = await attestedNode({
  world: await SimulatedWorld.load(JSON.parse(readFileSync(env("WORLD"), "utf8"))),
  now: Date.now(),
  beacon: JSON.parse(env("BEACON")) as Block,
  manifests: [manifest],
  payout,
});

const socket = new WebSocket(env("LINK_URL"), linkSubprotocol, { perMessageDeflate: false });
const sessions = new Map<string, SessionKeys>();
const running = new Map<number, AbortController>();
const say = (message: NodeControl): void => socket.send(JSON.stringify(message));

socket.on("message", (data: Buffer, binary: boolean) => {
  if (binary) onData(data);
  else onControl(data.toString());
});
socket.on("close", () => process.exit(1));
process.on("disconnect", () => process.exit(0));

function onControl(text: string): void {
  const message = gatewayControlSchema.parse(JSON.parse(text));
  if (message.t === "challenge") {
    const signed = concat(utf8("bombyx/link-auth/v1\0"), fromHex(message.nonce));
    say({
      t: "hello",
      v: 1,
      agent: "bench",
      name: "bench",
      linkPk: toHex(link.publicKey),
      payout,
      signature: toHex(sign(signed, link.privateKey)),
      pairingCode: env("PAIRING_CODE"),
      coefficient: 1_000,
    });
  } else if (message.t === "welcome") {
    say({ t: "attest", bundle: toBase64(bytes) });
  } else if (message.t === "attested") {
    say({
      t: "offer",
      models: [
        {
          id: manifest.model,
          manifest: manifestHash(manifest),
          contextTokens: manifest.contextTokens,
          slots,
          prefillTokensPerSecond: 1_000,
          decodeTokensPerSecond: 1_000,
          embeddings: false,
        },
      ],
    });
    process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
  } else if (message.t === "refused") {
    process.stderr.write(`${message.code}: ${message.message}\n`);
    process.exit(1);
  }
}

function onData(data: Buffer): void {
  const { kind, stream, payload } = decodeLinkMessage(data);
  if (kind === linkKind.handshake) {
    const { message2, session } = respondToHandshake(payload, kem);
    sessions.set(toHex(session.sessionId), session);
    socket.send(encodeLinkMessage(linkKind.handshakeDone, stream, 0, concat(session.sessionId, message2)));
  } else if (kind === linkKind.request) {
    const { head, sealed: body } = decodeRequest(payload);
    void answer(stream, head, body);
  } else if (kind === linkKind.cancel) {
    running.get(stream)?.abort();
  }
}

async function answer(stream: number, head: RequestHead, body: Uint8Array): Promise<void> {
  const session = sessions.get(head.session);
  if (!session) throw new Error("no such session");
  if (sealed) openRequest(session, head.request, body);
  const sealer = new AnswerSealer(session, head.request);
  const frames = new FramesHash();
  let count = 0;
  const send = (payload: Uint8Array, final: boolean): void => {
    const frame = sealed
      ? sealer.seal([{ type: answerType.delta, payload }], final)
      : concat(
          payload,
          new Uint8Array(limits.answerFrameBytes + 17 + (count === 0 ? 24 : 0) - payload.length),
        );
    frames.push(frame);
    socket.send(encodeLinkMessage(linkKind.frame, stream, count++, frame));
  };
  const gone = new AbortController();
  running.set(stream, gone);
  const stamp = (): Uint8Array => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, nowUs());
    return bytes;
  };
  await paced(pace, () => send(stamp(), false), gone.signal);
  running.delete(stream);
  send(new Uint8Array(8), true);
  const receipt: Receipt = {
    v: 1,
    attestationId,
    session: head.session,
    request: head.request,
    idempotencyId: head.idempotencyId,
    manifest: manifestHash(manifest),
    priceId: head.priceId,
    coefficient: 1_000,
    capUnits: head.capUnits,
    ceilingUnits: head.capUnits,
    units: 64,
    frames: count,
    finish: gone.signal.aborted ? "cancelled" : "done",
    requestHash: toHex(requestHash(body)),
    framesHash: toHex(frames.digest),
    detailHash: toHex(blake2b256(body)),
  };
  socket.send(
    encodeLinkMessage(
      linkKind.receipt,
      stream,
      0,
      utf8(JSON.stringify(signReceipt(receipt, sig.privateKey))),
    ),
  );
}
