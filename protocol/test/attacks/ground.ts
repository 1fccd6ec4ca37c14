import {
  type AttestationPolicy,
  appraise,
  appraiseOpen,
  type Block,
  type Bundle,
  type ChainView,
  type Collateral,
  type Expectation,
  encodeBundle,
  encodeOpenBundle,
  type ModelManifest,
  type OpenBundle,
  type OpenPolicy,
  type OpenVerdict,
  openPolicy,
  type QuoteVerdict,
  type Registry,
  type Statement,
  type TrustMemory,
  type Verdict,
  verifyQuote,
} from "../../src/attestation/index.ts";
import {
  type AttestedNode,
  type AttestedNodeOptions,
  attestedNode,
  type CollateralVariant,
  type OpenNode,
  openNode,
  type QuoteVariant,
  SimulatedWorld,
} from "../../src/simulation/index.ts";

/** The instant of every attack: collateral was issued an hour before. */
export const now = Date.UTC(2026, 10, 1, 1);
export const minuteMs = 60_000;
export const dayMs = 86_400_000;

/** A chain of one block a minute, whose newest block is 1000 at {@link now}. */
export const blockAt = (seqno: number): Block => ({
  chain: "bombyx-devnet",
  seqno,
  hash: seqno.toString(16).padStart(64, "0"),
  at: now - (1_000 - seqno) * minuteMs,
});
export const chain: ChainView = {
  latest: async () => blockAt(1_000),
  block: async (seqno) => (seqno <= 1_000 ? blockAt(seqno) : undefined),
};

export const manifest: ModelManifest = {
  v: 1,
  model: "spark",
  ggufSha256: "11".repeat(32),
  engine: "llama.cpp",
  chatTemplateHash: "22".repeat(32),
  contextTokens: 2_048,
  sampler: { temperatureMilli: 800, topPMilli: 950, topK: 40 },
  kvTypes: { k: "f16", v: "f16" },
  adapters: [],
  draftModel: null,
  engineFlags: [],
};

export const reportData: Uint8Array<ArrayBuffer> = Uint8Array.from({ length: 64 }, (_, i) => i);

export interface QuoteCase {
  readonly quote?: Uint8Array;
  readonly collateral?: Collateral;
  readonly at?: number;
  readonly policy?: Partial<AttestationPolicy>;
  readonly memory?: TrustMemory;
}

export interface BundleCase {
  readonly bundle?: Uint8Array;
  readonly policy?: Partial<AttestationPolicy>;
  readonly chain?: ChainView;
  readonly registry?: Registry;
  readonly memory?: TrustMemory;
  readonly now?: number;
  readonly expect?: Expectation;
}

/** A healthy machine and node, and the two judgements that attacks go through; without a change both accept. */
export class Ground {
  readonly world: SimulatedWorld;
  readonly quote: Uint8Array<ArrayBuffer>;
  readonly collateral: Collateral;
  readonly good: AttestedNode;
  /** Another node, of the open tier. */
  readonly open: OpenNode;

  private constructor(
    world: SimulatedWorld,
    quote: Uint8Array<ArrayBuffer>,
    collateral: Collateral,
    good: AttestedNode,
    open: OpenNode,
  ) {
    this.world = world;
    this.quote = quote;
    this.collateral = collateral;
    this.good = good;
    this.open = open;
  }

  static async prepare(): Promise<Ground> {
    const world = await SimulatedWorld.create({ now });
    const quote = await world.quote(reportData);
    const open = await newOpenNode();
    return new Ground(world, quote, await world.collateral(now), await newNode(world), open);
  }

  verify(change: QuoteCase = {}): Promise<QuoteVerdict> {
    const { quote = this.quote, collateral = this.collateral, policy, memory } = change;
    // undefined is passed on: it is one of the instants that must be refused
    const at = "at" in change ? change.at : now;
    return verifyQuote(quote, collateral, at as number, this.world.policy(policy), memory);
  }

  async withQuote(variant: QuoteVariant, change: QuoteCase = {}): Promise<QuoteVerdict> {
    return this.verify({ ...change, quote: await this.world.quote(reportData, variant) });
  }

  async withCollateral(variant: CollateralVariant, change: QuoteCase = {}): Promise<QuoteVerdict> {
    return this.verify({ ...change, collateral: await this.world.collateral(now, variant) });
  }

  /** Collateral with some of its strings replaced. */
  withDocuments(change: Partial<Collateral>): Promise<QuoteVerdict> {
    return this.verify({ collateral: { ...this.collateral, ...change } });
  }

  /** A world whose certificates are wrong, judged under its own root. */
  async inWorld(certificates: WorldCertificates): Promise<QuoteVerdict> {
    const world = await SimulatedWorld.create({ now, certificates });
    return verifyQuote(await world.quote(reportData), await world.collateral(now), now, world.policy());
  }

  appraise(change: BundleCase = {}): Promise<Verdict> {
    return appraise({
      bundle: change.bundle ?? this.good.bytes,
      policy: this.world.policy(change.policy),
      chain: change.chain ?? chain,
      ...(change.registry && { registry: change.registry }),
      ...(change.memory && { memory: change.memory }),
      now: change.now ?? now,
      expect: change.expect ?? {},
    });
  }

  node(change: Partial<AttestedNodeOptions> = {}): Promise<AttestedNode> {
    return newNode(this.world, change);
  }

  withBundle(change: Partial<Bundle>, rest: BundleCase = {}): Promise<Verdict> {
    return this.appraise({ ...rest, bundle: encodeBundle({ ...this.good.bundle, ...change }) });
  }

  async withStatement(statement: Partial<Statement>, rest: BundleCase = {}): Promise<Verdict> {
    return this.appraise({ ...rest, bundle: (await this.node({ statement })).bytes });
  }
}

/** What a node of the open tier is judged by; without a change it is accepted. */
export interface OpenCase extends Omit<BundleCase, "policy" | "registry" | "memory"> {
  readonly policy?: Partial<OpenPolicy>;
}

export const appraiseOpenly = (ground: Ground, change: OpenCase = {}): Promise<OpenVerdict> =>
  appraiseOpen({
    bundle: change.bundle ?? ground.open.bytes,
    policy: { ...openPolicy("bombyx-devnet"), ...change.policy },
    chain: change.chain ?? chain,
    now: "now" in change ? (change.now as number) : now,
    expect: change.expect ?? {},
  });

export const withOpenBundle = (ground: Ground, change: Partial<OpenBundle>): Promise<OpenVerdict> =>
  appraiseOpenly(ground, { bundle: encodeOpenBundle({ ...ground.open.bundle, ...change }) });

export const newOpenNode = (change: Partial<Parameters<typeof openNode>[0]> = {}): Promise<OpenNode> =>
  openNode({ beacon: blockAt(990), manifests: [manifest], ...change });

type WorldCertificates = NonNullable<Parameters<typeof SimulatedWorld.create>[0]["certificates"]>;

const newNode = (world: SimulatedWorld, change: Partial<AttestedNodeOptions> = {}): Promise<AttestedNode> =>
  attestedNode({ world, now, beacon: blockAt(990), manifests: [manifest], ...change });

/** `bytes` with one bit of byte `at` turned over. */
export function flipped(bytes: Uint8Array, at: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

export const zeros = (bytes: number): string => "00".repeat(bytes);
