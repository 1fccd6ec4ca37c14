import { randomBytes } from "node:crypto";
import { Agent, type IncomingMessage, request } from "node:http";
import { parseBundle, statementSchema } from "@bombyx/protocol/attestation";
import {
  AnswerOpener,
  initiateHandshake,
  type KemPublicKey,
  newX25519KeyPair,
  type SessionKeys,
  sealRequest,
} from "@bombyx/protocol/session";
import {
  candidatesSchema,
  EnvelopeReader,
  envelopeKind,
  fromBase64,
  fromHex,
  fromUtf8,
  limits,
  type SignedReceipt,
  sealedHeaders,
  toHex,
  utf8,
} from "@bombyx/protocol/wire";
import { HttpClient } from "./http-client.ts";
import type { OpenStream } from "./stream-load.ts";

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
/** `u8 kind ‖ u32be length` in front of what an envelope holds. */
const envelopeBytes = 5;
const sealedBytes = 24 + 17 + (limits.requestBuckets[0] ?? 0);

interface Target {
  readonly gateway: string;
  /** A bot's key: each session belongs to another person, because one account may hold four at a node. */
  readonly botKey: string;
  readonly node: string;
  readonly attestationId: string;
  readonly priceId: string;
  readonly kem: KemPublicKey;
}

/** Asks the gateway for the bench's `nodes` nodes; the bench trusts what it started itself and skips appraisal. */
export async function findTargets(
  gateway: string,
  botKey: string,
  nodes: number,
): Promise<readonly Target[]> {
  const headers = credentials(botKey, 1);
  const get = async (path: string) => whole(await call(`${gateway}${path}`, "GET", headers));
  const targets: Target[] = [];
  while (targets.length < nodes) {
    const not = targets.map(({ node }) => node).join(",");
    const { candidates, price } = candidatesSchema.parse(
      JSON.parse(fromUtf8(await get(`/v1/candidates?model=paced${not && `&not=${not}`}`))),
    );
    for (const { node, attestationId } of candidates) {
      const bundle = parseBundle(await get(`/v1/bundles/${attestationId}`));
      const statement = statementSchema.parse(JSON.parse(fromUtf8(fromBase64(bundle.statement))));
      const x25519 = statement.kem.find(({ alg }) => alg === "x25519");
      if (!x25519) throw new Error("the node has no X25519 key");
      const kem = { id: fromHex(x25519.id), x25519: fromHex(x25519.pk) };
      targets.push({ gateway, botKey, node, attestationId, priceId: price.id, kem });
    }
  }
  return targets;
}

const credentials = (botKey: string, person: number): Record<string, string> => ({
  authorization: `Bearer ${botKey}`,
  [sealedHeaders.user]: String(person),
});

interface Session {
  readonly keys: SessionKeys;
  readonly person: number;
  readonly target: Target;
  nextRequest: number;
}

/** Streams through prepared sessions, as an app does that shakes hands while the person types. */
export class BombyxLoad {
  readonly #targets: readonly Target[];
  readonly #sealed: boolean;
  readonly #idle: Session[] = [];
  readonly #http: HttpClient;

  constructor(gateway: string, targets: readonly Target[], sealed: boolean) {
    this.#http = new HttpClient(gateway);
    this.#targets = targets;
    this.#sealed = sealed;
  }

  /** Opens sessions until `streams` are idle, on every node at the rate that its link admits handshakes. */
  async prepare(streams: number): Promise<void> {
    const each = Math.ceil(streams / this.#targets.length);
    await Promise.all(
      this.#targets.map(async (target, at) => {
        for (let person = at * each + 1; person <= Math.min(streams, (at + 1) * each); person++) {
          this.#idle.push(await this.#open(person, target));
          await new Promise((resolve) => setTimeout(resolve, 1_000 / limits.handshakesPerSecondPerLink));
        }
      }),
    );
  }

  readonly warm = (connections: number): Promise<void> => this.#http.warm(connections);

  async #open(person: number, target: Target): Promise<Session> {
    const { gateway, botKey, node, attestationId, kem } = target;
    const handshake = initiateHandshake(
      { suite: 1, attestationId: fromHex(attestationId), kemId: kem.id },
      kem,
      newX25519KeyPair(),
    );
    const response = await call(
      `${gateway}/v1/nodes/${node}/sessions`,
      "POST",
      { ...credentials(botKey, person), "content-type": "application/octet-stream" },
      handshake.message,
    );
    const body = await whole(response);
    if (response.statusCode !== 201)
      throw new Error(`handshake: HTTP ${response.statusCode} ${fromUtf8(body)}`);
    return { keys: handshake.finish(body), person, target, nextRequest: 0 };
  }

  readonly open: OpenStream = async (_tokens, onStamp) => {
    const session = this.#idle.pop();
    if (!session) throw new Error("no idle session");
    const request = session.nextRequest++;
    const body = this.#sealed ? sealRequest(session.keys, request, utf8("{}")) : new Uint8Array(sealedBytes);
    const opener = new AnswerOpener(session.keys, request);
    const reader = new EnvelopeReader();
    let finished = false;
    const take = (kind: number, payload: Uint8Array): void => {
      if (kind === envelopeKind.failure) throw new Error(fromUtf8(payload));
      if (kind === envelopeKind.receipt) finished = isFinal(payload);
      if (kind !== envelopeKind.sealed) return;
      const bytes = this.#sealed ? opener.open(payload).parts[0]?.payload : payload;
      const stampUs = bytes ? new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0) : 0;
      if (stampUs > 0) onStamp(stampUs);
    };
    const { status, text } = await this.#http.post(
      `/v1/sealed/${toHex(session.keys.sessionId)}/${request}`,
      {
        ...credentials(session.target.botKey, session.person),
        "content-type": "application/octet-stream",
        [sealedHeaders.idempotencyId]: toHex(randomBytes(16)),
        [sealedHeaders.price]: session.target.priceId,
        [sealedHeaders.maxTokens]: String(limits.maxTokensBuckets[0]),
      },
      body,
      (part) => {
        // Nearly every read is one whole envelope; the reader is for those that are not.
        if (reader.empty && part.length === envelopeBytes + part.readUInt32BE(1)) {
          take(part[0] ?? 0, part.subarray(envelopeBytes));
        } else {
          for (const { kind, payload } of reader.push(part)) take(kind, payload);
        }
      },
    );
    if (status !== 200) throw new Error(`HTTP ${status} ${text}`);
    if (!finished) throw new Error("the stream ended without a receipt");
    if (session.nextRequest < limits.requestsPerSession) this.#idle.push(session);
  };
}

const isFinal = (payload: Uint8Array): boolean =>
  (JSON.parse(fromUtf8(payload)) as SignedReceipt).receipt.finish !== "running";

function call(
  url: string,
  method: string,
  headers: Record<string, string>,
  body?: Uint8Array,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method, agent, headers: { ...headers, ...(body && { "content-length": String(body.length) }) } },
      resolve,
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

async function whole(response: IncomingMessage): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
