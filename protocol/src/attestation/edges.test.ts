import { beforeAll, describe, expect, test } from "vitest";
import { blockAt, chain, dayMs, Ground, manifest, now, zeros } from "../../test/attacks/ground.ts";
import { ReleaseDesk } from "../../test/attacks/release-desk.ts";
import { encodeBundle } from "./bundle.ts";
import { refusal } from "./error.ts";
import {
  type AttestationReason,
  attestationPolicySchema,
  cachedRegistry,
  manifestHash,
  type Seen,
  type Statement,
  statementBytes,
  trustMemory,
} from "./index.ts";

/** Limits to the last unit, and what happens exactly there. */
let ground: Ground;
let desk: ReleaseDesk;
beforeAll(async () => {
  ground = await Ground.prepare();
  desk = await ReleaseDesk.open(ground);
});

const refused = (outcome: Promise<unknown>, reason: AttestationReason) =>
  expect(outcome).rejects.toMatchObject({ reason });
const accepted = (outcome: Promise<unknown>) => expect(outcome).resolves.toBeDefined();

describe("instants", () => {
  test("from 2020 to the end of 2099, as numbers", async () => {
    await refused(ground.verify({ at: Date.UTC(2020) }), "CERT_NOT_YET_VALID");
    await refused(ground.verify({ at: Date.UTC(2020) - 1 }), "TIME");
    await refused(ground.verify({ at: Date.UTC(2100) }), "TIME");
    await refused(ground.verify({ at: Date.UTC(2100) - 1 }), "CERT_EXPIRED");
    await refused(ground.verify({ at: String(now) as unknown as number }), "TIME");
  });
  test("are looked at before anything else", () =>
    refused(ground.appraise({ bundle: new Uint8Array(1), now: Number.NaN }), "TIME"));
});

describe("sizes", () => {
  test("a bundle of 256 KB is looked at, a byte more is not", async () => {
    await refused(ground.appraise({ bundle: new Uint8Array(256 * 1_024) }), "BUNDLE_JSON");
    await refused(ground.appraise({ bundle: new Uint8Array(256 * 1_024 + 1) }), "BUNDLE_TOO_LARGE");
  });
  test("signature data end where their length says, padding begins behind it", async () => {
    const length = new DataView(ground.quote.buffer).getUint32(632, true);
    const longer = Uint8Array.of(...ground.quote.subarray(0, 636 + length), 0);
    await accepted(ground.verify({ quote: longer }));
    new DataView(longer.buffer).setUint32(632, length + 1, true);
    await refused(ground.verify({ quote: longer }), "QUOTE_FORMAT");
  });
  test("so is collateral", async () => {
    const rest = Object.values({ ...ground.collateral, tcb_info: "" }).join("").length;
    const of = (size: number) => ground.withDocuments({ tcb_info: " ".repeat(size - rest) });
    await refused(of(256 * 1_024), "TCB_INFO_SIGNATURE");
    await refused(of(256 * 1_024 + 1), "COLLATERAL_TOO_LARGE");
  });
  test("a statement of 4096 bytes is read, a byte more is not, however it is signed", async () => {
    const of = async (size: number) => {
      const statement = sized(size);
      expect(statementBytes(statement).length).toBe(size);
      return ground.appraise({ bundle: (await ground.node({ statement })).bytes });
    };
    await refused(of(4_096), "NODE_ID");
    await refused(of(4_097), "STATEMENT_FORMAT");
  });

  /** The good statement grown to a size: hashes of manifests, then digits of the epoch. */
  function sized(size: number): Statement {
    let statement: Statement = { ...ground.good.statement, challenge: zeros(32), epoch: 1 };
    const grown = () => statementBytes(statement).length;
    while (grown() + 67 <= size) statement = { ...statement, manifests: [...statement.manifests, zeros(32)] };
    for (let digits = 1; digits < 16 && grown() < size; digits++)
      statement = { ...statement, epoch: 10 ** digits };
    const { beacon } = statement;
    return {
      ...statement,
      beacon: { ...beacon, chain: beacon.chain + "x".repeat(Math.max(0, size - grown())) },
    };
  }
});

describe("ages", () => {
  test("a list of PCK certificates may be exactly as old as the policy allows", async () => {
    await accepted(ground.withCollateral({ pckCrl: { thisUpdate: now - 7 * dayMs } }));
    await refused(ground.withCollateral({ pckCrl: { thisUpdate: now - 7 * dayMs - 1_000 } }), "CRL_AGE");
  });
  test("an exception that ends now excepts nothing, and shortens no verdict", async () => {
    const tcbExceptions = [{ status: "OutOfDate", until: now }];
    expect((await ground.verify({ policy: { tcbExceptions } })).validUntil).toBeGreaterThan(now);
    const later = [{ status: "OutOfDate", until: now + 1 }];
    expect((await ground.verify({ policy: { tcbExceptions: later } })).validUntil).toBe(now + 1);
    const { tcbLevels } = JSON.parse(ground.collateral.tcb_info) as { tcbLevels: readonly object[] };
    const outdated = { tcbInfo: { tcbLevels: [{ ...tcbLevels[0], tcbStatus: "OutOfDate" }] } };
    await refused(ground.withCollateral(outdated, { policy: { tcbExceptions } }), "TCB_STATUS");
    await accepted(ground.withCollateral(outdated, { policy: { tcbExceptions: later } }));
  });
});

describe("firmware levels", () => {
  const levels = (change: object) => {
    const { tcbLevels } = JSON.parse(ground.collateral.tcb_info) as { tcbLevels: readonly object[] };
    return { tcbInfo: { tcbLevels: [{ ...tcbLevels[0], ...change }] } };
  };
  test("count every SVN of the machine's certificate", async () => {
    await accepted(ground.withQuote({ svns: [5, 0, 3, ...Array<number>(13).fill(0)], pceSvn: 13 }));
    await refused(ground.withQuote({ svns: [4, 0, 3, ...Array<number>(13).fill(0)] }), "TCB_NO_MATCH");
    await refused(ground.withQuote({ svns: [5, 0, 2, ...Array<number>(13).fill(9)] }), "TCB_NO_MATCH");
    await refused(ground.withQuote({ pceSvn: 12 }), "TCB_NO_MATCH");
    await accepted(ground.withQuote({ svns: Array<number>(16).fill(200), pceSvn: 300 }));
  });
  test("leave a module's own SVN to its identity", async () => {
    const info = JSON.parse(ground.collateral.tcb_info) as { tdxModuleIdentities: readonly object[] };
    const tcbLevels = [{ tcb: { isvsvn: 4 }, tcbStatus: "UpToDate" }];
    const tcbInfo = { tdxModuleIdentities: [{ ...info.tdxModuleIdentities[0], tcbLevels }] };
    const quote = await ground.world.quote(new Uint8Array(64), {
      body: { teeTcbSvn: `040103${zeros(13)}` },
    });
    await accepted(ground.withCollateral({ tcbInfo }, { quote }));
  });
  test("judge a module of version 0 themselves", async () => {
    await accepted(ground.withQuote({ body: { teeTcbSvn: `050003${zeros(13)}` } }));
    await refused(ground.withQuote({ body: { teeTcbSvn: `040003${zeros(13)}` } }), "TCB_NO_MATCH");
  });
  test("are excepted by their own word alone", async () => {
    const policy = { tcbExceptions: [{ status: "OutOfDate", until: now + 1 }] };
    await accepted(ground.withCollateral(levels({ tcbStatus: "OutOfDate" }), { policy }));
    await refused(
      ground.withCollateral(levels({ tcbStatus: "SWHardeningNeeded" }), { policy }),
      "TCB_STATUS",
    );
  });
  test("come with Intel's advisories", async () => {
    const advisoryIDs = ["INTEL-SA-00000"];
    expect((await ground.withCollateral(levels({ advisoryIDs }))).tcb.advisories).toEqual(advisoryIDs);
    expect((await ground.verify()).tcb.advisories).toEqual([]);
  });
});

describe("what a verdict says of the collateral", () => {
  test("is the lesser of two", async () => {
    const iso = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`;
    const verdict = async (one: Record<string, unknown>, two: Record<string, unknown>) =>
      (await ground.withCollateral({ tcbInfo: one, qeIdentity: two })).tcb;
    const newer = { tcbEvaluationDataNumber: 20, issueDate: iso(now - 1_000) };
    const older = { tcbEvaluationDataNumber: 19, issueDate: iso(now - 9_000) };
    for (const tcb of [await verdict(newer, older), await verdict(older, newer)])
      expect(tcb).toMatchObject({ evaluation: 19, issuedAt: now - 9_000 });
    const lists = await ground.withCollateral({ rootCrl: { number: 2 }, pckCrl: { number: 3 } });
    expect(lists.tcb.crlNumber).toBe(2);
  });
});

describe("statements", () => {
  test("list each key once", async () => {
    const [x25519] = ground.good.statement.kem;
    await refused(ground.withStatement({ kem: [x25519!, x25519!], suites: [1] }), "STATEMENT_KEYS");
    await accepted(ground.withStatement({ kem: [x25519!], suites: [1] }));
  });
  test("name each manifest that the bundle carries, and no other", async () => {
    const [one, two, three] = ["one", "two", "three"].map((model) => ({ ...manifest, model }));
    const { bundle } = await ground.node({ manifests: [one!, two!] });
    const carrying = (manifests: (typeof one)[]) =>
      ground.appraise({ bundle: encodeBundle({ ...bundle, manifests: manifests as (typeof manifest)[] }) });
    await accepted(carrying([one, two]));
    await refused(carrying([one, three]), "MANIFEST_MISSING");
    await refused(carrying([one, one]), "MANIFEST_MISSING");
    await refused(carrying([one]), "MANIFEST_MISSING");
    const signed = desk.sign({ models: [manifestHash(one!)] });
    const released = { policy: desk.policy, registry: desk.registry(signed), memory: trustMemory() };
    const both = encodeBundle({ ...bundle, release: signed });
    await refused(ground.appraise({ ...released, bundle: both }), "MANIFEST_UNRELEASED");
  });
  test("are of a block of the policy's chain, whatever the view calls it", () =>
    refused(
      ground.appraise({
        chain: { ...chain, block: async (seqno) => ({ ...blockAt(seqno), chain: "another" }) },
      }),
      "BEACON_UNKNOWN",
    ));
});

describe("releases and registries", () => {
  const signed = () => desk.sign();
  const judge = (change: object) =>
    ground.withBundle(
      { release: signed() },
      { policy: desk.policy, registry: desk.registry(signed()), ...change },
    );

  test("a release without a registry is no release", () =>
    refused(ground.withBundle({ release: signed() }, { policy: desk.policy }), "REGISTRY_VIEW"));
  test("a policy may take releases and not ask for platforms", async () => {
    const policy = { ...desk.policy, registry: "none" as const };
    const registry = desk.registry(signed(), { platforms: {} });
    expect((await judge({ policy, registry })).hosting).toBeUndefined();
    await refused(judge({ registry }), "PLATFORM_UNREGISTERED");
  });
  test("without a memory a release is judged all the same", () => accepted(judge({ memory: undefined })));
  test("a refusal of the registry's reader keeps its reason", async () => {
    const view = () => Promise.reject(refusal("CHAIN_VIEW", "No two endpoints agree."));
    await refused(cachedRegistry(view, () => now).lists(), "CHAIN_VIEW");
    await refused(
      cachedRegistry(
        () => Promise.reject(new Error("x")),
        () => now,
      ).lists(),
      "REGISTRY_VIEW",
    );
  });
  test("a policy in a file names no fewer keys than must sign, each once", () => {
    const policy = (threshold: number, keys: string[]) =>
      attestationPolicySchema.safeParse(ground.world.policy({ release: { threshold, keys } })).success;
    const [a, b, c] = ["aa", "bb", "cc"].map((byte) => byte.repeat(32)) as [string, string, string];
    expect(policy(2, [a, b, c])).toBe(true);
    expect(policy(2, [a, b])).toBe(true);
    expect(policy(2, [a, a])).toBe(false);
    expect(policy(3, [a, b])).toBe(false);
  });
});

describe("a memory", () => {
  test("is told of what is newer, and of nothing else", async () => {
    const kept: Seen[] = [];
    const memory = trustMemory(undefined, (seen) => kept.push(seen));
    await ground.verify({ memory });
    await ground.verify({ memory });
    expect(kept).toHaveLength(1);
    const registry = desk.registry(desk.sign());
    const again = () =>
      ground.withBundle({ release: desk.sign() }, { policy: desk.policy, registry, memory });
    await again();
    const after = kept.length;
    await again();
    expect(kept).toHaveLength(after);
  });
  test("keeps the newest list when an older one of the same number is shown again", async () => {
    const memory = trustMemory();
    const older = { pckCrl: { thisUpdate: now - dayMs } };
    const two = await ground.world.quote(new Uint8Array(64), { platform: "two" });
    await accepted(ground.withCollateral({ revoke: ["pck"] }, { quote: two, memory }));
    await accepted(ground.withCollateral(older, { quote: two, memory }));
    await refused(ground.withCollateral(older, { memory }), "CERT_REVOKED");
  });
  test("is not needed for the policy's own floor of CRL numbers", async () => {
    await refused(ground.verify({ policy: { minCrlNumber: 2 } }), "CRL_ROLLBACK");
    const numbered = { rootCrl: { number: 2 }, pckCrl: { number: 2 } };
    await accepted(ground.withCollateral(numbered, { policy: { minCrlNumber: 2 } }));
    await refused(
      ground.withCollateral({ rootCrl: { number: 2 } }, { policy: { minCrlNumber: 2 } }),
      "CRL_ROLLBACK",
    );
  });
});
