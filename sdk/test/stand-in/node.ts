import {
  attestationId,
  bootBinding,
  encodeBundle,
  type ModelManifest,
  manifestHash,
  nodeId,
  reportData,
  type Statement,
  statementBytes,
} from "@bombyx/protocol/attestation";
import {
  newKemKeyPair,
  newSigningKeyPair,
  openRequest,
  randomBytes,
  respondToHandshake,
  type SessionKeys,
  sessionIdHex,
  sign,
} from "@bombyx/protocol/session";
import {
  BombyxError,
  type Candidate,
  fromUtf8,
  type Price,
  type RequestHead,
  type SealedRequest,
  sealedRequestSchema,
  toBase64,
  toHex,
} from "@bombyx/protocol/wire";
import { ScriptedAnswer } from "./answer.ts";
import type { Script } from "./script.ts";
import type { TestWorld } from "./world.ts";

export interface NodeOptions {
  readonly name: string;
  readonly owner?: string;
  readonly platform?: string;
  readonly model?: string;
  readonly score?: number;
  readonly coefficient?: number;
  readonly script: Script;
}

/** A node as clients meet it: a quote, keys, sessions, sealed scripted answers, signed receipts. */
export class StandInNode {
  readonly candidate: Candidate;
  readonly sigPk: Uint8Array;
  /** Plaintext of the requests that were opened here. */
  readonly requests: SealedRequest[] = [];
  readonly handshakes: string[] = [];
  bundle: Uint8Array;
  script: Script;
  /** Set: no handshake and no request gets through. */
  offline = false;
  readonly #kem = newKemKeyPair();
  readonly #sig: ReturnType<typeof newSigningKeyPair>;
  readonly #sessions = new Map<string, SessionKeys>();

  private constructor(
    candidate: Candidate,
    bundle: Uint8Array,
    sig: ReturnType<typeof newSigningKeyPair>,
    kem: ReturnType<typeof newKemKeyPair>,
    script: Script,
  ) {
    this.candidate = candidate;
    this.bundle = bundle;
    this.#sig = sig;
    this.#kem = kem;
    this.sigPk = sig.publicKey;
    this.script = script;
  }

  static async create(world: TestWorld, options: NodeOptions): Promise<StandInNode> {
    const {
      name,
      owner = name,
      platform = name,
      model = "spark",
      score = 1,
      coefficient = 1_000,
      script,
    } = options;
    const link = newSigningKeyPair();
    const sig = newSigningKeyPair();
    const kem = newKemKeyPair();
    const bootId = randomBytes(16);
    const payout = `payout of ${owner}`;
    const manifest = manifestOf(model);
    const statement: Statement = {
      v: 1,
      node: toHex(nodeId(link.publicKey, payout)),
      boot_id: toHex(bootId),
      epoch: 1,
      beacon: world.beacon,
      challenge: null,
      kem: [
        { alg: "x25519", id: toHex(kem.id), pk: toHex(kem.x25519.publicKey) },
        { alg: "xwing", id: toHex(kem.id), pk: toHex(kem.xwing?.publicKey ?? new Uint8Array(0)) },
      ],
      sig_pk: toHex(sig.publicKey),
      manifests: [manifestHash(manifest)],
      gpu: { mode: "none", evidence: null },
      suites: [1, 2],
    };
    const bytes = statementBytes(statement);
    const data = await reportData(bytes);
    const bundle = encodeBundle({
      v: 1,
      tee: "tdx",
      quote: toBase64(await world.simulation.quote(data, { platform })),
      statement: toBase64(bytes),
      collateral: await world.simulation.collateral(world.bornAt, { platform }),
      link: {
        linkPk: toHex(link.publicKey),
        payout,
        signature: toHex(sign(bootBinding(bootId, sig.publicKey), link.privateKey)),
      },
      manifests: [manifest],
      gpu: null,
      release: null,
    });
    const candidate = {
      node: statement.node,
      name,
      attestationId: toHex(attestationId(data)),
      manifest: manifestHash(manifest),
      coefficient,
      score,
      owner,
    };
    return new StandInNode(candidate, bundle, sig, kem, script);
  }

  handshake(message: Uint8Array): { message2: Uint8Array; session: string } {
    const { message2, session } = respondToHandshake(message, this.#kem);
    const id = sessionIdHex(session);
    this.#sessions.set(id, session);
    this.handshakes.push(id);
    return { message2, session: id };
  }

  /** The epoch is over: sessions are forgotten, new ones refused as the wire has it. */
  forgetSessions(): void {
    this.#sessions.clear();
  }

  serves(session: string): boolean {
    return this.#sessions.has(session);
  }

  answer(head: RequestHead, sealed: Uint8Array, price: Price, script = this.script): ScriptedAnswer {
    const keys = this.#sessions.get(head.session);
    if (!keys) throw new BombyxError("SESSION_UNKNOWN", "No such session at this node.");
    const plaintext = fromUtf8(openRequest(keys, head.request, sealed));
    const request = sealedRequestSchema.parse(JSON.parse(plaintext));
    this.requests.push(request);
    const terms = {
      keys,
      head,
      request,
      sealed,
      candidate: this.candidate,
      price,
      sigSecretKey: this.#sig.privateKey,
    };
    try {
      if (head.continuation && request.prefix === undefined) {
        throw new BombyxError("DISAGREEMENT", "The gateway names a lost attempt, the sealed request none.");
      }
      return new ScriptedAnswer(terms, script(request));
    } catch (error) {
      if (error instanceof BombyxError) return new ScriptedAnswer(terms, error);
      throw error;
    }
  }
}

const manifestOf = (model: string): ModelManifest => ({
  v: 1,
  model,
  ggufSha256: "ab".repeat(32),
  engine: "stand-in",
  chatTemplateHash: "cd".repeat(32),
  contextTokens: 2_048,
  sampler: { temperatureMilli: 1_000, topPMilli: 1_000, topK: 40 },
  kvTypes: { k: "f16", v: "f16" },
  adapters: [],
  draftModel: null,
  engineFlags: [],
});
