import { beforeAll, describe, expect, test } from "vitest";
import {
  appraiseOpenly,
  blockAt,
  chain,
  Ground,
  manifest,
  minuteMs,
  newOpenNode,
  now,
  type OpenCase,
  withOpenBundle,
} from "../../test/attacks/ground.ts";
import { newSigningKeyPair, sign } from "../session/index.ts";
import { fromBase64, fromUtf8, toHex, utf8 } from "../wire/encoding.ts";
import {
  type AttestationReason,
  attestationPolicySchema,
  attestationReasons,
  claimsOpenTier,
  encodeBundle,
  encodeOpenBundle,
  manifestHash,
  openCommitment,
  openPolicy,
  openStatementBytes,
  parseOpenBundle,
} from "./index.ts";

let ground: Ground;
beforeAll(async () => {
  ground = await Ground.prepare();
});

const refused = (judged: Promise<unknown>, reason: AttestationReason) =>
  expect(judged).rejects.toMatchObject({
    name: "AttestationError",
    reason,
    step: attestationReasons[reason],
  });
const stated = async (statement: object, change: OpenCase = {}) =>
  appraiseOpenly(ground, { ...change, bundle: (await newOpenNode({ statement })).bytes });

describe("a node of the open tier, under the policy that admits it", () => {
  test("is known by what its owner's key signed, and claims no hardware", async () => {
    const { open } = ground;
    expect(await appraiseOpenly(ground)).toEqual({
      tee: "none",
      simulated: false,
      policy: "open",
      node: open.node,
      attestationId: open.attestationId,
      statement: open.statement,
      manifests: [manifest],
      kem: { id: open.kem.id, x25519: open.kem.x25519.publicKey, xwing: open.kem.xwing?.publicKey },
      suite: 2,
      sigPk: open.sig.publicKey,
      beaconAt: blockAt(990).at,
      validUntil: now + 60 * minuteMs,
    });
  });

  test("is good until its beacon is too old, when that is earlier", async () => {
    const { bytes } = await newOpenNode({ beacon: blockAt(900) });
    expect(await appraiseOpenly(ground, { bundle: bytes })).toMatchObject({
      validUntil: blockAt(900).at + 120 * minuteMs,
    });
  });

  test("is read back as it was written, byte for byte, and known by its first word", () => {
    const { bundle, bytes } = ground.open;
    expect(parseOpenBundle(bytes)).toEqual(bundle);
    expect(encodeOpenBundle(parseOpenBundle(bytes))).toEqual(bytes);
    expect(claimsOpenTier(bytes)).toBe(true);
    expect(claimsOpenTier(ground.good.bytes)).toBe(false);
    expect(claimsOpenTier(utf8("{}"))).toBe(false);
  });

  test("may use a GPU that shows its memory, and says so", async () => {
    const gpu = { mode: "plain", evidence: null } as const;
    expect((await stated({ gpu })).statement.gpu).toEqual(gpu);
  });

  test.each<[string, AttestationReason, () => Promise<unknown>]>([
    ["at no instant", "TIME", () => appraiseOpenly(ground, { now: Number.NaN })],
    ["above 256 KB", "BUNDLE_TOO_LARGE", () => appraiseOpenly(ground, { bundle: new Uint8Array(262_145) })],
    [
      "with white space",
      "BUNDLE_JSON",
      () => appraiseOpenly(ground, { bundle: utf8(`${fromUtf8(ground.open.bytes)} `) }),
    ],
    [
      "with a field that it does not have",
      "BUNDLE_FIELD",
      () => appraiseOpenly(ground, { bundle: utf8('{"quote":"","tee":"none"}') }),
    ],
    ["of no tier", "BUNDLE_FIELD", () => appraiseOpenly(ground, { bundle: utf8("{}") })],
    [
      "with another link key",
      "OPEN_SIGNATURE",
      () =>
        withOpenBundle(ground, {
          link: { ...ground.open.bundle.link, linkPk: toHex(newSigningKeyPair().publicKey) },
        }),
    ],
    [
      "with another node's statement",
      "OPEN_SIGNATURE",
      async () => withOpenBundle(ground, { statement: (await newOpenNode()).bundle.statement }),
    ],
    [
      "under another payout address",
      "NODE_ID",
      () => withOpenBundle(ground, { link: { ...ground.open.bundle.link, payout: "thief" } }),
    ],
    ["whose boot nobody signed", "LINK_SIGNATURE", () => stated({ boot_id: "00".repeat(16) })],
    ["whose keys do not fit its suites", "STATEMENT_KEYS", () => stated({ suites: [1] })],
    [
      "that is not the one asked for",
      "ATTESTATION_ID",
      async () => appraiseOpenly(ground, { expect: { attestationId: (await newOpenNode()).attestationId } }),
    ],
    ["of another node", "NODE", () => appraiseOpenly(ground, { expect: { node: "00".repeat(32) } })],
    [
      "without the model asked for",
      "MANIFEST",
      () => appraiseOpenly(ground, { expect: { manifest: "00".repeat(32) } }),
    ],
    ["that keeps a manifest back", "MANIFEST_MISSING", () => withOpenBundle(ground, { manifests: [] })],
    [
      "that did not answer the challenge",
      "CHALLENGE",
      () => appraiseOpenly(ground, { expect: { challenge: "00".repeat(32) } }),
    ],
    [
      "that speaks for a confidential GPU",
      "GPU_EVIDENCE",
      () => stated({ gpu: { mode: "cc", evidence: null } }),
    ],
    [
      "that names evidence",
      "GPU_EVIDENCE",
      () => stated({ gpu: { mode: "plain", evidence: "00".repeat(32) } }),
    ],
    [
      "with a beacon of another chain",
      "BEACON_CHAIN",
      () => appraiseOpenly(ground, { policy: { chain: "ton" } }),
    ],
    [
      "with a beacon that the chain does not have",
      "BEACON_UNKNOWN",
      () => appraiseOpenly(ground, { chain: { ...chain, block: async () => undefined } }),
    ],
    [
      "a moment after its beacon is too old",
      "BEACON_AGE",
      () => appraiseOpenly(ground, { now: blockAt(990).at + 120 * minuteMs + 1 }),
    ],
    [
      "on a device whose clock is behind",
      "CLOCK",
      () => appraiseOpenly(ground, { now: blockAt(990).at - 6 * minuteMs }),
    ],
  ])("%s is refused: %s", (_, reason, attack) => refused(attack(), reason));

  test("with everything as it was asked for is accepted, to the last moment", async () => {
    const challenge = "11".repeat(32);
    const { bytes, node, attestationId } = await newOpenNode({ statement: { challenge } });
    const expected = { node, attestationId, manifest: manifestHash(manifest), challenge };
    await expect(
      appraiseOpenly(ground, { bundle: bytes, expect: expected, now: blockAt(990).at + 120 * minuteMs }),
    ).resolves.toMatchObject({ attestationId });
  });
});

describe("the tiers cannot be mistaken for one another", () => {
  test("a policy for hardware refuses the open tier before anything else is looked at", async () => {
    await refused(ground.appraise({ bundle: ground.open.bytes }), "TEE");
    await expect(ground.appraise()).resolves.toMatchObject({ tee: "tdx" });
  });

  test("the open policy refuses a node with a quote: nothing is admitted for another reason than it says", () =>
    refused(appraiseOpenly(ground, { bundle: ground.good.bytes }), "TEE"));

  test("a quote's bundle that is called open is not, whatever of its owner's signatures it borrows", async () => {
    const { bundle } = ground.good;
    const { v, statement, link, manifests } = bundle;
    const relabelled = {
      v,
      tee: "none",
      statement,
      link,
      manifests,
      statementSignature: link.signature,
    } as const;
    await refused(appraiseOpenly(ground, { bundle: encodeOpenBundle(relabelled) }), "OPEN_SIGNATURE");
    // The signature that it lacks would make it one: only the owner's link key gives it.
    const commitment = await openCommitment(fromBase64(statement));
    const statementSignature = toHex(sign(openStatementBytes(commitment), ground.good.link.privateKey));
    await expect(
      appraiseOpenly(ground, { bundle: encodeOpenBundle({ ...relabelled, statementSignature }) }),
    ).resolves.toMatchObject({ tee: "none" });
  });

  test("an open bundle that is given somebody's quote is refused at the quote's own commitment", () => {
    const { statement, link, manifests } = ground.open.bundle;
    const relabelled = encodeBundle({ ...ground.good.bundle, statement, link, manifests });
    return refused(ground.appraise({ bundle: relabelled }), "REPORT_DATA");
  });

  test("one statement has another attestation id in each tier", async () => {
    const { bundle, attestationId, link } = ground.good;
    const commitment = await openCommitment(fromBase64(bundle.statement));
    const { attestationId: opened } = await appraiseOpenly(ground, {
      bundle: encodeOpenBundle({
        v: 1,
        tee: "none",
        statement: bundle.statement,
        statementSignature: toHex(sign(openStatementBytes(commitment), link.privateKey)),
        link: bundle.link,
        manifests: bundle.manifests,
      }),
    });
    expect(opened).not.toBe(attestationId);
  });

  test("no policy that comes as data is the open one", () => {
    expect(attestationPolicySchema.safeParse(openPolicy()).success).toBe(false);
    expect(attestationPolicySchema.safeParse({ ...ground.world.policy(), tee: "none" }).success).toBe(false);
    expect(attestationPolicySchema.safeParse(ground.world.policy()).success).toBe(true);
  });
});
