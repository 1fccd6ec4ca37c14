import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { newSigningKeyPair } from "../session/index.ts";
import {
  type AttestedNode,
  type AttestedNodeOptions,
  attestedNode,
  SimulatedWorld,
} from "../simulation/index.ts";
import { concat, fromBase64, fromUtf8, toBase64, toHex, utf8 } from "../wire/encoding.ts";
import {
  AttestationError,
  type AttestationPolicy,
  type AttestationReason,
  appraise,
  attestationReasons,
  type Block,
  type Bundle,
  type ChainView,
  type Expectation,
  encodeBundle,
  gpuEvidenceHash,
  type ModelManifest,
  manifestHash,
  reportData,
  type Statement,
  strictPolicy,
  type Verdict,
} from "./index.ts";

const now = Date.UTC(2026, 10, 1, 1);
const minuteMs = 60_000;

/** A chain of one block a minute, whose newest block is 1000 at `now`. */
const blockAt = (seqno: number): Block => ({
  chain: "bombyx-devnet",
  seqno,
  hash: seqno.toString(16).padStart(64, "0"),
  at: now - (1_000 - seqno) * minuteMs,
});
const chain: ChainView = {
  latest: async () => blockAt(1_000),
  block: async (seqno) => (seqno <= 1_000 ? blockAt(seqno) : undefined),
};

const manifest: ModelManifest = {
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

let world: SimulatedWorld;
let good: AttestedNode;
beforeAll(async () => {
  world = await SimulatedWorld.create({ now });
  good = await node();
});

const node = (change: Partial<AttestedNodeOptions> = {}) =>
  attestedNode({ world, now, beacon: blockAt(990), manifests: [manifest], ...change });

interface Case {
  readonly bundle?: Uint8Array;
  readonly policy?: Partial<AttestationPolicy>;
  readonly chain?: ChainView;
  readonly now?: number;
  readonly expect?: Expectation;
}
const judge = (change: Case = {}): Promise<Verdict> =>
  appraise({
    bundle: change.bundle ?? good.bytes,
    policy: world.policy(change.policy),
    chain: change.chain ?? chain,
    now: change.now ?? now,
    expect: change.expect ?? {},
  });
const refused = (verdict: Promise<Verdict>, reason: AttestationReason) =>
  expect(verdict).rejects.toMatchObject({
    name: "AttestationError",
    reason,
    step: attestationReasons[reason],
  });
const withBundle = (change: Partial<Bundle>) =>
  judge({ bundle: encodeBundle({ ...good.bundle, ...change }) });
const withStatement = async (statement: Partial<Statement>, change: Case = {}) =>
  judge({ ...change, bundle: (await node({ statement })).bytes });

describe("a good bundle", () => {
  test("is accepted with everything that a client needs", async () => {
    const verdict = await judge({
      expect: {
        node: good.node,
        attestationId: good.attestationId,
        manifest: manifestHash(manifest),
      },
    });
    expect(verdict).toMatchObject({
      simulated: true,
      policy: "simulation",
      node: good.node,
      attestationId: good.attestationId,
      manifests: [manifest],
      suite: 2,
      tcb: { status: "UpToDate", evaluation: 18 },
      row: world.row,
      validUntil: now + 60 * minuteMs,
    });
    expect(toHex(verdict.sigPk)).toBe(toHex(good.sig.publicKey));
    expect(toHex(verdict.kem.id)).toBe(toHex(good.kem.id));
    expect(toHex(verdict.kem.x25519)).toBe(toHex(good.kem.x25519.publicKey));
    expect(verdict.kem.xwing && toHex(verdict.kem.xwing)).toBe(
      good.kem.xwing && toHex(good.kem.xwing.publicKey),
    );
  });

  test("is valid until its beacon is two hours old, when that is sooner", async () => {
    const { bytes } = await node({ beacon: blockAt(900) });
    expect((await judge({ bundle: bytes })).validUntil).toBe(blockAt(900).at + 120 * minuteMs);
  });

  test("of a node without X-Wing offers suite 1", async () => {
    const kem = good.statement.kem.slice(0, 1);
    const verdict = await withStatement({ kem, suites: [1] });
    expect(verdict.suite).toBe(1);
    expect(verdict.kem.xwing).toBeUndefined();
  });
});

describe("what a gateway may try", () => {
  test("a simulated bundle is refused by the strict policy at its root", () =>
    refused(appraise({ bundle: good.bytes, policy: strictPolicy, chain, now, expect: {} }), "CHAIN_ROOT"));

  test("a swapped key is refused", async () => {
    const other = await node();
    const statement = { ...good.statement, kem: other.statement.kem };
    await refused(withBundle({ statement: toBase64(utf8(JSON.stringify(statement))) }), "REPORT_DATA");
  });

  test("one changed byte anywhere in the statement is refused", async () => {
    const statement = fromBase64(good.bundle.statement);
    for (let at = 0; at < statement.length; at += 97) {
      const bent = statement.slice();
      bent[at]! ^= 1;
      await refused(withBundle({ statement: toBase64(bent) }), "REPORT_DATA");
    }
  });

  test("another node's statement or quote is refused", async () => {
    const other = await node();
    await refused(withBundle({ statement: other.bundle.statement }), "REPORT_DATA");
    await refused(withBundle({ quote: other.bundle.quote }), "REPORT_DATA");
  });

  test("another node's whole bundle is refused by who asked for this one", async () => {
    const other = await node();
    await refused(judge({ bundle: other.bytes, expect: { node: good.node } }), "NODE");
    await refused(
      judge({ bundle: other.bytes, expect: { attestationId: good.attestationId } }),
      "ATTESTATION_ID",
    );
    await expect(judge({ bundle: other.bytes, expect: { node: other.node } })).resolves.toBeDefined();
  });

  test("another owner's link is refused: swapped key, payout address or signature", async () => {
    const { link } = good.bundle;
    const other = await node();
    await refused(withBundle({ link: other.bundle.link }), "NODE_ID");
    await refused(withBundle({ link: { ...link, payout: "thief" } }), "NODE_ID");
    await refused(
      withBundle({ link: { ...link, signature: other.bundle.link.signature } }),
      "LINK_SIGNATURE",
    );
  });

  test("a boot that the link key did not sign is refused", () =>
    refused(withStatement({ boot_id: "00".repeat(16) }), "LINK_SIGNATURE"));

  test("a node id of another link key is refused although the quote commits to it", () =>
    refused(withStatement({ node: "00".repeat(32) }), "NODE_ID"));
});

describe("measurements", () => {
  test.each(["mrTd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"])("one bit of %s is refused", async (register) => {
    const body = { [register]: `01${"00".repeat(47)}` };
    await refused(judge({ bundle: (await node({ quote: { body } })).bytes }), "MEASUREMENT");
  });

  test("registers of two rows are no row", async () => {
    const second = { ...world.row, release: "second", rtmr1: "aa".repeat(48), rtmr2: "bb".repeat(48) };
    const rows = [world.row, second];
    const mixture = await node({ quote: { body: { rtmr1: second.rtmr1 } } });
    const whole = await node({ quote: { body: { rtmr1: second.rtmr1, rtmr2: second.rtmr2 } } });
    await refused(judge({ bundle: mixture.bytes, policy: { rows } }), "MEASUREMENT");
    expect((await judge({ bundle: whole.bytes, policy: { rows } })).row.release).toBe("second");
  });

  test("a policy without rows refuses everything", () =>
    refused(judge({ policy: { rows: [] } }), "MEASUREMENT"));
});

describe("statement", () => {
  test("other encodings are refused although the quote commits to them", async () => {
    const committed = async (text: string) => {
      const bytes = utf8(text);
      const quote = await world.quote(await reportData(bytes));
      return withBundle({ statement: toBase64(bytes), quote: toBase64(quote) });
    };
    const text = fromUtf8(fromBase64(good.bundle.statement));
    await expect(committed(text)).resolves.toBeDefined();
    await refused(committed(`${text} `), "STATEMENT_FORMAT");
    await refused(committed(text.replace('"v":1', '"v":1,"v":1')), "STATEMENT_FORMAT");
    await refused(committed(text.replace('"v":1', '"v":2')), "STATEMENT_FORMAT");
    await refused(committed("{}"), "STATEMENT_FORMAT");
    await refused(committed("x".repeat(4_097)), "STATEMENT_FORMAT");
  });

  test("keys and suites that do not fit together are refused", async () => {
    const { kem } = good.statement;
    const [x25519, xwing] = kem;
    await refused(withStatement({ suites: [1] }), "STATEMENT_KEYS");
    await refused(withStatement({ kem: kem.slice(0, 1) }), "STATEMENT_KEYS");
    await refused(withStatement({ kem: kem.slice(1) }), "STATEMENT_KEYS");
    await refused(withStatement({ kem: [x25519!, x25519!] }), "STATEMENT_KEYS");
    await refused(withStatement({ kem: [x25519!, { ...xwing!, id: "00".repeat(8) }] }), "STATEMENT_KEYS");
    await refused(withStatement({ suites: [1, 2, 2] }), "STATEMENT_KEYS");
  });

  test("a model that is not attested is refused", () =>
    refused(judge({ expect: { manifest: "00".repeat(32) } }), "MANIFEST"));

  test("a manifest that is missing, changed, foreign or doubled is refused", async () => {
    const foreign = { ...manifest, model: "other" };
    for (const manifests of [[], [foreign], [manifest, foreign], [manifest, manifest]]) {
      await refused(withBundle({ manifests }), "MANIFEST_MISSING");
    }
  });

  test("a challenge must be this client's", async () => {
    const challenge = "ab".repeat(32);
    await expect(withStatement({ challenge }, { expect: { challenge } })).resolves.toBeDefined();
    await refused(withStatement({ challenge: "cd".repeat(32) }, { expect: { challenge } }), "CHALLENGE");
    await refused(judge({ expect: { challenge } }), "CHALLENGE");
  });

  test("a GPU mode that the policy does not admit is refused", async () => {
    const gpu = { mode: "plain", evidence: null } as const;
    await refused(withStatement({ gpu }), "GPU_MODE");
    await expect(withStatement({ gpu }, { policy: { gpuModes: ["plain"] } })).resolves.toBeDefined();
  });

  test("confidential GPU mode comes with exactly the evidence that the statement names", async () => {
    const evidence = utf8("evidence");
    const named = toHex(gpuEvidenceHash(evidence));
    const judged = async (gpu: Statement["gpu"], carried: string | null) => {
      const { bundle } = await node({ statement: { gpu } });
      return judge({ bundle: encodeBundle({ ...bundle, gpu: carried }) });
    };
    await expect(judged({ mode: "cc", evidence: named }, toBase64(evidence))).resolves.toBeDefined();
    await refused(judged({ mode: "cc", evidence: named }, null), "GPU_EVIDENCE");
    await refused(judged({ mode: "cc", evidence: named }, toBase64(utf8("other"))), "GPU_EVIDENCE");
    await refused(judged({ mode: "cc", evidence: null }, null), "GPU_EVIDENCE");
    await refused(judged({ mode: "none", evidence: named }, toBase64(evidence)), "GPU_EVIDENCE");
    await refused(judged({ mode: "none", evidence: null }, toBase64(evidence)), "GPU_EVIDENCE");
  });
});

describe("freshness", () => {
  const withBeacon = async (beacon: Block, at = now) =>
    judge({ bundle: (await node({ beacon })).bytes, now: at });

  test("a beacon is good for two hours and not a millisecond more", async () => {
    const beacon = blockAt(1_000);
    await expect(withBeacon(beacon, now + 120 * minuteMs)).resolves.toBeDefined();
    await refused(withBeacon(beacon, now + 120 * minuteMs + 1), "BEACON_AGE");
  });

  test("a beacon that is not on the chain is refused", async () => {
    await refused(withBeacon({ ...blockAt(990), hash: "00".repeat(32) }), "BEACON_UNKNOWN");
    await refused(withBeacon(blockAt(1_001)), "BEACON_UNKNOWN");
    await refused(withBeacon({ ...blockAt(990), chain: "ton" }), "BEACON_CHAIN");
  });

  test("a device whose clock is more than five minutes behind the beacon is told so", async () => {
    const beacon = blockAt(1_000);
    await expect(withBeacon(beacon, now - 5 * minuteMs)).resolves.toBeDefined();
    await refused(withBeacon(beacon, now - 5 * minuteMs - 1), "CLOCK");
  });

  test("without a view of the chain nothing is accepted, and the reason is passed on", async () => {
    const failure = new Error("offline");
    const blind: ChainView = { latest: () => Promise.reject(failure), block: () => Promise.reject(failure) };
    await expect(judge({ chain: blind })).rejects.toBe(failure);
  });

  test.each([Number.NaN, now / 1_000])("%s is refused as the device's time", (at) =>
    refused(judge({ now: at }), "TIME"),
  );
});

test("whatever bytes a gateway changes, the outcome is a typed refusal or the same verdict", async () => {
  const unchanged = JSON.stringify(await judge());
  let refusals = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.nat(good.bytes.length - 1),
      fc.nat(3),
      fc.uint8Array({ maxLength: 3 }),
      async (at, removed, inserted) => {
        const bundle = concat(good.bytes.slice(0, at), inserted, good.bytes.slice(at + removed));
        const outcome = await judge({ bundle }).catch((error: unknown) => error);
        if (outcome instanceof AttestationError) refusals++;
        else expect(JSON.stringify(outcome)).toBe(unchanged);
      },
    ),
    { numRuns: 400 },
  );
  expect(refusals).toBeGreaterThan(200);
});

test("a new wallet is a new node", async () => {
  const link = newSigningKeyPair();
  const [one, two] = [await node({ link, payout: "one" }), await node({ link, payout: "two" })];
  expect(one.node).not.toBe(two.node);
});
