import { beforeAll, describe, expect, test } from "vitest";
import {
  blockAt,
  dayMs,
  flipped,
  Ground,
  manifest,
  minuteMs,
  now,
  reportData,
  zeros,
} from "../../test/attacks/ground.ts";
import { ReleaseDesk } from "../../test/attacks/release-desk.ts";
import { attestationId, prefixFor, publicHalf, sessionPair } from "../../test/session-pair.ts";
import {
  AnswerOpener,
  AnswerSealer,
  initiateHandshake,
  newKemKeyPair,
  openRequest,
  respondToHandshake,
  sealRequest,
} from "../session/index.ts";
import { extension, pem } from "../simulation/certificate.ts";
import * as der from "../simulation/der-writer.ts";
import { SimulatedWorld } from "../simulation/index.ts";
import { concat, fromBase64, fromHex, toBase64, toHex, utf8 } from "../wire/encoding.ts";
import {
  type AttestationReason,
  attestationReasons,
  type Collateral,
  cachedRegistry,
  demandRegistered,
  manifestHash,
  registryMaxAgeMs,
  strictPolicy,
  trustMemory,
  verifyQuote,
} from "./index.ts";

/**
 * The threats that the verifier and the session stand against, one block each. docs/threat-model.md gives each
 * its words and names the tests of other rooms.
 */
let ground: Ground;
let desk: ReleaseDesk;
beforeAll(async () => {
  ground = await Ground.prepare();
  desk = await ReleaseDesk.open(ground);
});

const refused = (outcome: Promise<unknown>, reason: AttestationReason) =>
  expect(outcome).rejects.toMatchObject({ reason, step: attestationReasons[reason] });
const accepted = (outcome: Promise<unknown>) => expect(outcome).resolves.toBeDefined();
const handshakeRefused = expect.objectContaining({ code: "HANDSHAKE_INVALID" });
const streamRefused = expect.objectContaining({ code: "SEALED_STREAM" });

describe("row 1: the gateway swaps a key or a byte of the statement", () => {
  test("any byte, and a whole other key", async () => {
    const statement = fromBase64(ground.good.bundle.statement);
    for (let at = 0; at < statement.length; at += 53) {
      const bent = toBase64(flipped(statement, at));
      await refused(ground.withBundle({ statement: bent }), "REPORT_DATA");
    }
    const other = await ground.node();
    await refused(ground.withBundle({ statement: other.bundle.statement }), "REPORT_DATA");
    await accepted(ground.appraise());
  });
});

describe("row 2: a genuine quote of another node or model", () => {
  test("two nodes with their wires crossed", async () => {
    const other = await ground.node({ manifests: [{ ...manifest, model: "other" }] });
    await refused(ground.appraise({ bundle: other.bytes, expect: { node: ground.good.node } }), "NODE");
    const wanted = { manifest: manifestHash(manifest) };
    await refused(ground.appraise({ bundle: other.bytes, expect: wanted }), "MANIFEST");
    await accepted(ground.appraise({ expect: { ...wanted, node: ground.good.node } }));
  });
});

describe("row 3: somebody in the middle answers the handshake with a key of their own", () => {
  test("the client notices at message 2, before a prompt is sealed", () => {
    const node = newKemKeyPair();
    const attacker = { ...newKemKeyPair(), id: node.id };
    const client = initiateHandshake(prefixFor(node, 2), publicHalf(node));
    // The attacker cannot even read message 1, so it answers one of its own.
    const own = initiateHandshake(prefixFor(attacker, 2), publicHalf(attacker));
    const { message2 } = respondToHandshake(own.message, attacker);
    expect(() => respondToHandshake(client.message, attacker)).toThrowError(handshakeRefused);
    expect(() => client.finish(message2)).toThrowError(handshakeRefused);
    const twin = initiateHandshake(prefixFor(node, 2), publicHalf(node));
    expect(() => twin.finish(respondToHandshake(twin.message, node).message2)).not.toThrow();
  });
});

describe("row 4: a TD that somebody can debug, migrate, profile or make fail on purpose", () => {
  const bits = { debug: 0, "sept-ve-disable off": 28, migratable: 29, "protection keys": 30, perfmon: 63 };
  test.each(Object.entries(bits))("%s", async (_, bit) => {
    const attributes = fromHex("0000001000000000");
    attributes[bit >> 3]! ^= 1 << (bit & 7);
    const quote = ground.withQuote({ body: { tdAttributes: toHex(attributes) } });
    await refused(quote, bit === 0 ? "TD_DEBUG" : "TD_ATTRIBUTES");
  });
  test("an extended feature more", async () => {
    await refused(ground.withQuote({ body: { xfam: "e703060000000000" } }), "XFAM");
    await accepted(ground.withQuote({ body: { xfam: "e702060000000000" } }));
  });
});

describe("row 5: a simulated machine meets a client of a real network", () => {
  test("its root is none that the strict policy trusts", async () => {
    await refused(verifyQuote(ground.quote, ground.collateral, now, strictPolicy), "CHAIN_ROOT");
    expect(strictPolicy.root.simulated).toBe(false);
    expect((await ground.verify()).simulated).toBe(true);
  });
});

describe("row 6: revocation lists that are missing, forged, old or another's", () => {
  test.each<[string, AttestationReason, (good: Collateral) => Partial<Collateral>]>([
    ["empty", "CRL_FORMAT", () => ({ pck_crl: "" })],
    ["garbage", "CRL_FORMAT", () => ({ root_ca_crl: "deadbeef" })],
    ["another CA's", "CRL_ISSUER", ({ root_ca_crl }) => ({ pck_crl: root_ca_crl })],
    [
      "forged",
      "CRL_SIGNATURE",
      ({ pck_crl }) => ({ pck_crl: toHex(flipped(fromHex(pck_crl), pck_crl.length / 2 - 1)) }),
    ],
  ])("%s", (_, reason, change) => refused(ground.withDocuments(change(ground.collateral)), reason));

  test("expired, or older than this device has seen", async () => {
    await refused(ground.withCollateral({ pckCrl: { nextUpdate: now } }), "CRL_EXPIRED");
    const memory = trustMemory();
    await accepted(ground.withCollateral({ pckCrl: { number: 5 } }, { memory }));
    await refused(ground.withCollateral({ pckCrl: { number: 4 } }, { memory }), "CRL_ROLLBACK");
    await accepted(ground.withCollateral({ pckCrl: { number: 4 } }));
  });
});

describe("row 7: a revoked machine, CA or signer", () => {
  test.each(["pck", "pckCa", "tcbSigner"] as const)("%s", (role) =>
    refused(ground.withCollateral({ revoke: [role] }), "CERT_REVOKED"),
  );
  test("stays revoked when an older list, whose dates are still good, is served again", async () => {
    const memory = trustMemory();
    const older = { pckCrl: { thisUpdate: now - dayMs }, rootCrl: { thisUpdate: now - dayMs } };
    await accepted(ground.withCollateral(older, { memory }));
    await refused(ground.withCollateral({ revoke: ["pck"] }), "CERT_REVOKED");
    // Another machine's bundle shows the newer list; it is good, and so is the list.
    const two = await ground.world.quote(reportData, { platform: "two" });
    await accepted(ground.withCollateral({ revoke: ["pck"] }, { quote: two, memory }));
    await refused(ground.withCollateral(older, { memory }), "CERT_REVOKED");
    await accepted(ground.withCollateral(older, { quote: two, memory }));
  });
});

describe("row 8: everything outside its dates, and clocks that show none", () => {
  test.each([Number.NaN, undefined as unknown as number, -1, now / 1_000, Number.POSITIVE_INFINITY])(
    "%s as the time",
    (at) => refused(ground.verify({ at }), "TIME"),
  );
  test("certificates and documents, a second early and a second late", async () => {
    await refused(ground.withQuote({ pckCertificate: { notBefore: now + 1_000 } }), "CERT_NOT_YET_VALID");
    await refused(ground.withQuote({ pckCertificate: { notAfter: now - 1_000 } }), "CERT_EXPIRED");
    await accepted(ground.withQuote({ pckCertificate: { notBefore: now, notAfter: now } }));
    const iso = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`;
    for (const field of ["tcbInfo", "qeIdentity"] as const) {
      const dated = (change: object) => ground.withCollateral({ [field]: change });
      await refused(dated({ issueDate: iso(now + 1_000) }), "COLLATERAL_NOT_YET_VALID");
      await refused(dated({ nextUpdate: iso(now) }), "COLLATERAL_EXPIRED");
      await accepted(dated({ issueDate: iso(now), nextUpdate: iso(now + 1_000) }));
    }
  });
});

describe("row 9: chains in which somebody plays another role", () => {
  test.each<[string, AttestationReason, Parameters<Ground["inWorld"]>[0]]>([
    ["an end entity as CA", "CERT_NOT_CA", { pckCa: { pathLength: undefined, usage: "ca" } }],
    ["a CA that may not sign certificates", "CERT_KEY_USAGE", { pckCa: { usage: "signer" } }],
    ["a root that allows no CA below itself", "CHAIN_PATH_LENGTH", { root: { pathLength: 0 } }],
    ["another issuer's name", "CHAIN_NAME", { pckCa: { issuer: "Another" } }],
    ["another role's name", "CERT_ROLE", { tcbSigner: { subject: "Bombyx Simulated PCK Certificate" } }],
    [
      "an extension that stands twice",
      "CERT_FORMAT",
      { tcbSigner: { extensions: [extension("2.5.29.19", true, der.sequence())] } },
    ],
  ])("%s", (_, reason, certificates) => refused(ground.inWorld(certificates), reason));

  test("a chain of four, and a machine's own certificate as signer of TCB info", async () => {
    const root = pem(ground.world.rootDer);
    const [signer = ""] = ground.collateral.tcb_info_issuer_chain.split(/(?<=-----END CERTIFICATE-----\n)/);
    await refused(
      ground.withDocuments({ tcb_info_issuer_chain: signer + root + root + root }),
      "CHAIN_LENGTH",
    );
    const pckChain = pem(await ground.world.pckCertificate()) + ground.collateral.pck_crl_issuer_chain;
    const tcb_info_signature = toHex(await ground.world.keys.pck.sign(utf8(ground.collateral.tcb_info)));
    await refused(
      ground.withDocuments({ tcb_info_issuer_chain: pckChain, tcb_info_signature }),
      "CHAIN_LENGTH",
    );
    await accepted(ground.inWorld({}));
  });
});

describe("row 10: firmware that Intel does not call up to date", () => {
  const level = (tcbStatus: string) => {
    const { tcbLevels } = JSON.parse(ground.collateral.tcb_info) as { tcbLevels: readonly object[] };
    return ground.withCollateral({ tcbInfo: { tcbLevels: [{ ...tcbLevels[0], tcbStatus }] } });
  };
  test.each(["OutOfDate", "ConfigurationNeeded", "Revoked", "Fine"])("%s", (status) =>
    refused(level(status), "TCB_STATUS"),
  );
  test("no level, another FMSPC, another PCEID", async () => {
    await refused(ground.withCollateral({ tcbInfo: { tcbLevels: [] } }), "TCB_NO_MATCH");
    await refused(ground.withQuote({ fmspc: "DEAD00000001" }), "FMSPC");
    await refused(ground.withQuote({ pceId: "0001" }), "PCEID");
    await accepted(level("UpToDate"));
  });
});

describe("row 11: a TDX module that is unknown, old or not Intel's", () => {
  test.each<[string, AttestationReason, Parameters<Ground["withQuote"]>[0]]>([
    ["unknown", "MODULE_UNKNOWN", { body: { teeTcbSvn: `070203${zeros(13)}` } }],
    ["another signer", "MODULE_SIGNER", { body: { mrSignerSeam: `01${zeros(47)}` } }],
    ["attributes", "MODULE_ATTRIBUTES", { body: { seamAttributes: `01${zeros(7)}` } }],
    ["old", "MODULE_TCB_STATUS", { body: { teeTcbSvn: `060103${zeros(13)}` } }],
  ])("%s", (_, reason, variant) => refused(ground.withQuote(variant), reason));
  test("the one that Intel lists passes", () =>
    accepted(ground.withQuote({ body: { teeTcbSvn: `070103${zeros(13)}` } })));
});

describe("row 12: what is no TDX quote, or none whole", () => {
  test.each<[string, AttestationReason, Parameters<Ground["withQuote"]>[0]]>([
    ["SGX in version 3", "QUOTE_VERSION", { header: { version: 3 as 4, teeType: 0 } }],
    ["SGX in version 4", "QUOTE_TEE_TYPE", { header: { teeType: 0 } }],
    ["version 5 with an SGX body", "QUOTE_FORMAT", { header: { version: 5, bodyType: 1 as 2 } }],
    ["P-384 key", "QUOTE_KEY_TYPE", { header: { attestationKeyType: 3 } }],
  ])("%s", (_, reason, variant) => refused(ground.withQuote(variant), reason));
  test("other certification data, a DICE token, and lengths of 4 GB", async () => {
    const typeAt = 636 + 128 + 6 + 384 + 64 + 2 + 32;
    for (const type of [2, 3, 4]) {
      const bent = ground.quote.slice();
      bent[typeAt] = type;
      await refused(ground.verify({ quote: bent }), "QUOTE_CERTIFICATION");
    }
    await refused(ground.verify({ quote: concat(Uint8Array.of(0xd8, 0x18), ground.quote) }), "QUOTE_VERSION");
    for (const at of [632, 636 + 128 + 2, typeAt + 2]) {
      const bent = ground.quote.slice();
      bent.set([0xff, 0xff, 0xff, 0xff], at);
      await refused(ground.verify({ quote: bent }), "QUOTE_TRUNCATED");
    }
    await accepted(ground.verify());
  });
});

describe("row 13: a quoting enclave that Intel does not name", () => {
  test("its identity forged (CVE-2026-22696), in debug mode, of another signer, product or age", async () => {
    const qe_identity = ground.collateral.qe_identity.replace('"isvprodid":2', '"isvprodid":1');
    await refused(ground.withDocuments({ qe_identity }), "QE_IDENTITY_SIGNATURE");
    await refused(ground.withQuote({ qe: { attributes: `13${zeros(15)}` } }), "QE_DEBUG");
    await refused(ground.withQuote({ qe: { mrSigner: zeros(32) } }), "QE_IDENTITY");
    await refused(ground.withQuote({ qe: { isvProdId: 1 } }), "QE_IDENTITY");
    await refused(ground.withQuote({ qe: { isvSvn: 3 } }), "QE_TCB_STATUS");
    await accepted(ground.withQuote({ qe: { isvSvn: 4 } }));
  });
});

describe("row 14: collateral of last week, while its dates are good", () => {
  test("is refused by its age, and by what this device has seen", async () => {
    const old = { tcbInfo: { issueDate: "2026-10-24T00:00:00Z" } };
    await refused(ground.withCollateral(old), "COLLATERAL_AGE");
    await refused(ground.withCollateral({ pckCrl: { thisUpdate: now - 8 * dayMs } }), "CRL_AGE");
    await accepted(ground.withCollateral({ rootCrl: { thisUpdate: now - 300 * dayMs } }));
    for (const field of ["tcbInfo", "qeIdentity"] as const) {
      const memory = trustMemory();
      await accepted(ground.withCollateral({ [field]: { tcbEvaluationDataNumber: 19 } }, { memory }));
      await refused(ground.verify({ memory }), "COLLATERAL_ROLLBACK");
      await accepted(ground.verify());
    }
  });

  test("what was seen outlives the process when the caller keeps it, and holds nothing unverified", async () => {
    let kept: unknown;
    const memory = trustMemory(undefined, (seen) => {
      kept = JSON.parse(JSON.stringify(seen));
    });
    await refused(
      ground.withDocuments({ qe_identity: `${ground.collateral.qe_identity} ` }),
      "QE_IDENTITY_SIGNATURE",
    );
    expect(kept).toBeUndefined();
    await accepted(ground.withCollateral({ qeIdentity: { tcbEvaluationDataNumber: 20 } }, { memory }));
    await refused(ground.verify({ memory: trustMemory(kept) }), "COLLATERAL_ROLLBACK");
    expect(() => trustMemory({ v: 2 })).toThrow();
  });
});

describe("row 15: one bit of a measurement, or the firmware of another shape", () => {
  test.each(["mrTd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"] as const)("%s", async (register) => {
    const field = register === "mrTd" ? "mrtd" : register;
    const bent = toHex(flipped(fromHex(ground.world.row[field]), 47));
    const { bytes } = await ground.node({ quote: { body: { [register]: bent } } });
    await refused(ground.appraise({ bundle: bytes }), "MEASUREMENT");
  });
  test("what a host sets, and RTMR0 of another row", async () => {
    await refused(ground.withQuote({ body: { mrConfigId: `01${zeros(47)}` } }), "MR_CONFIG_ID");
    await refused(ground.withQuote({ body: { mrOwner: `01${zeros(47)}` } }), "MR_OWNER");
    await refused(ground.withQuote({ body: { mrOwnerConfig: `01${zeros(47)}` } }), "MR_OWNER_CONFIG");
    const { row } = ground.world;
    const large = { ...row, shape: "large", mrtd: "aa".repeat(48), rtmr0: "bb".repeat(48) };
    const { bytes } = await ground.node({ quote: { body: { rtmr0: large.rtmr0 } } });
    await refused(ground.appraise({ bundle: bytes, policy: { rows: [row, large] } }), "MEASUREMENT");
    await accepted(ground.appraise({ policy: { rows: [large, row] } }));
  });
});

describe("row 16: releases that two of three did not sign, that are old, or that nobody registered", () => {
  const under = (
    signed = desk.sign(),
    registry = desk.registry(signed),
    memory = trustMemory(),
    policy: object = desk.policy,
  ) => ground.withBundle({ release: signed }, { policy, registry, memory });

  test("signed by two of three, registered and current, it is accepted and named", async () => {
    expect(await under()).toMatchObject({ releaseVersion: 7, row: ground.world.row, hosting: "datacentre" });
    await accepted(under(desk.sign({}, [desk.keys[1], desk.keys[2]])));
  });

  test("signatures: none, one, the same key twice, a stranger's, of another manifest", async () => {
    const { keys } = desk;
    const [one] = keys;
    const stranger = (await ReleaseDesk.open(ground)).keys[0];
    for (const signers of [[], [one], [one, one], [one, stranger]])
      await refused(under(desk.sign({}, signers)), "RELEASE_SIGNATURES");
    const { signatures } = desk.sign({ version: 8 });
    await refused(under({ ...desk.sign(), signatures }), "RELEASE_SIGNATURES");
  });

  test("a version below the registry's oldest, or below one accepted before", async () => {
    const signed = desk.sign();
    await refused(under(signed, desk.registry(signed, { minReleaseVersion: 8 })), "RELEASE_ROLLBACK");
    const memory = trustMemory();
    await accepted(under(desk.sign({ version: 9 }), undefined, memory));
    await refused(under(signed, undefined, memory), "RELEASE_ROLLBACK");
    await accepted(under(desk.sign({ version: 9 }), undefined, memory));
  });

  test("expired, unregistered, missing, of other rows or models, or with higher floors", async () => {
    await refused(under(desk.sign({ notAfter: now })), "RELEASE_EXPIRED");
    await refused(under(desk.sign(), desk.registry(desk.sign({ version: 8 }))), "RELEASE_UNREGISTERED");
    await refused(
      ground.appraise({ policy: desk.policy, registry: desk.registry(desk.sign()) }),
      "RELEASE_MISSING",
    );
    const rows = [{ ...ground.world.row, rtmr2: "cc".repeat(48) }];
    await refused(under(desk.sign({ rows })), "MEASUREMENT");
    await refused(under(desk.sign({ models: ["00".repeat(32)] })), "MANIFEST_UNRELEASED");
    await accepted(under(desk.sign({ models: [] })));
    await refused(under(desk.sign({ floors: { tcbEvaluation: 19, crlNumber: 1 } })), "COLLATERAL_EVALUATION");
    await refused(under(desk.sign({ floors: { tcbEvaluation: 18, crlNumber: 2 } })), "CRL_ROLLBACK");
  });

  test("a verdict ends with its release", async () => {
    const signed = desk.sign({ notAfter: now + 5 * minuteMs });
    expect((await under(signed)).validUntil).toBe(now + 5 * minuteMs);
  });
});

describe("row 17: beacons that are old, of the future or not on the chain, and challenges of others", () => {
  test("each is refused, a fresh one is not", async () => {
    const withBeacon = async (beacon: ReturnType<typeof blockAt>, at = now) =>
      ground.appraise({ bundle: (await ground.node({ beacon })).bytes, now: at });
    await refused(withBeacon(blockAt(879)), "BEACON_AGE");
    await refused(withBeacon(blockAt(1_001)), "BEACON_UNKNOWN");
    await refused(withBeacon({ ...blockAt(990), hash: zeros(32) }), "BEACON_UNKNOWN");
    await accepted(withBeacon(blockAt(880)));
    const challenge = "ab".repeat(32);
    await refused(ground.appraise({ expect: { challenge } }), "CHALLENGE");
    await refused(
      ground.withStatement({ challenge: "cd".repeat(32) }, { expect: { challenge } }),
      "CHALLENGE",
    );
    await accepted(ground.withStatement({ challenge }, { expect: { challenge } }));
  });
});

describe("row 18: clocks that are wrong", () => {
  test("the device's is told so; the node's is never asked", async () => {
    await refused(ground.appraise({ now: now - 15 * minuteMs - 1 }), "CLOCK");
    await refused(ground.appraise({ now: now - dayMs }), "CRL_NOT_YET_VALID");
    await refused(ground.appraise({ now: now + dayMs }), "BEACON_AGE");
    await accepted(ground.appraise({ now: now - 15 * minuteMs }));
  });
});

describe("row 19: a handshake talked down to the weaker suite", () => {
  test("fails at both ends, as does any other prefix", () => {
    const node = newKemKeyPair();
    const { message } = initiateHandshake(prefixFor(node, 2), publicHalf(node));
    const down = concat(Uint8Array.of(1), message.slice(1, 41 + 48));
    for (const bent of [down, flipped(message, 0), flipped(message, 1), flipped(message, 40)])
      expect(() => respondToHandshake(bent, node)).toThrowError(handshakeRefused);
    const unknown = message.slice();
    unknown[0] = 3;
    expect(() => respondToHandshake(unknown, node)).toThrowError(handshakeRefused);
    expect(() => respondToHandshake(message, node)).not.toThrow();
  });
  test("and the client takes the best suite that the quote commits to", async () => {
    expect((await ground.appraise()).suite).toBe(2);
    await refused(ground.withStatement({ suites: [1] }), "STATEMENT_KEYS");
  });
});

describe("row 20: points of low order, and messages that come again", () => {
  /** The points of small order on Curve25519 and their non-canonical encodings (libsodium's black list). */
  const weak = [
    zeros(32),
    `01${zeros(31)}`,
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    `ec${"ff".repeat(30)}7f`,
    `ed${"ff".repeat(30)}7f`,
    `ee${"ff".repeat(30)}7f`,
  ];
  test.each(weak)("%s is refused on both sides", (point) => {
    const node = newKemKeyPair();
    const { message } = initiateHandshake(prefixFor(node, 1), publicHalf(node));
    const bent = message.slice();
    bent.set(fromHex(point), 41);
    expect(() => respondToHandshake(bent, node)).toThrowError(handshakeRefused);
    expect(() =>
      initiateHandshake(prefixFor(node, 1), { ...publicHalf(node), x25519: fromHex(point) }),
    ).toThrowError(handshakeRefused);
    const client = initiateHandshake(prefixFor(node, 1), publicHalf(node));
    const answer = respondToHandshake(client.message, node).message2.slice();
    answer.set(fromHex(point), 0);
    expect(() => client.finish(answer)).toThrowError(handshakeRefused);
  });
  test("message 1 again makes another session; message 2 again makes none", () => {
    const node = newKemKeyPair();
    const [client, later] = [0, 1].map(() => initiateHandshake(prefixFor(node, 2), publicHalf(node)));
    const [first, again] = [0, 1].map(() => respondToHandshake(client!.message, node));
    expect(first!.session.sessionId).not.toEqual(again!.session.sessionId);
    expect(() => later!.finish(first!.message2)).toThrowError(handshakeRefused);
    expect(client!.finish(first!.message2).sessionId).toEqual(first!.session.sessionId);
    expect(() => client!.finish(again!.message2)).toThrowError(handshakeRefused);
  });
});

describe("row 21: requests under other ids, sessions and directions", () => {
  test("open only where they were sealed for", async () => {
    const { client, node } = await sessionPair();
    const other = await sessionPair();
    const sealed = sealRequest(client, 3, utf8("hello"));
    expect(() => openRequest(node, 4, sealed)).toThrowError(streamRefused);
    expect(() => openRequest(other.node, 3, sealed)).toThrowError(streamRefused);
    for (const id of [-1, 64, 2 ** 53, 1.5])
      expect(() => sealRequest(client, id, utf8("hello"))).toThrow(RangeError);
    expect(openRequest(node, 3, sealed)).toEqual(utf8("hello"));
  });
});

describe("row 22: frames dropped, doubled, spliced, cut or invented", () => {
  test("garbage between good frames kills the stream for good", async () => {
    const { client, node } = await sessionPair();
    const sealer = new AnswerSealer(node, 5);
    const frames = [sealer.seal([]), sealer.seal([]), sealer.seal([], true)] as const;
    const opener = new AnswerOpener(client, 5);
    opener.open(frames[0]);
    for (const garbage of [
      new Uint8Array(0),
      new Uint8Array(15),
      new Uint8Array(273),
      new Uint8Array(70_000),
    ]) {
      expect(() => opener.open(garbage)).toThrowError(streamRefused);
      expect(() => opener.open(frames[1])).toThrowError(streamRefused);
    }
    expect(() => opener.end()).toThrowError(expect.objectContaining({ code: "TRUNCATED" }));
    const twin = new AnswerOpener(client, 5);
    for (const frame of frames) twin.open(frame);
    expect(() => twin.end()).not.toThrow();
  });
  test("a prefix of the frames is an incomplete answer, never a whole one", async () => {
    const { client, node } = await sessionPair();
    const sealer = new AnswerSealer(node, 5);
    const opener = new AnswerOpener(client, 5);
    opener.open(sealer.seal([{ type: 1, payload: attestationId }]));
    expect(() => opener.end()).toThrowError(expect.objectContaining({ code: "TRUNCATED" }));
  });
});

describe("row 36: a genuine quote of a machine that nobody registered, or that was found out", () => {
  const registered = async () => {
    const { platformId, imageHash } = await ground.verify();
    return { platformId, imageHash, bootId: ground.good.statement.boot_id };
  };
  test("is refused by the lists, before every session", async () => {
    const node = await registered();
    const lists = (change = {}) => desk.registry(desk.sign(), change).lists();
    const ask = async (change = {}, at = now) => demandRegistered(node, await lists(change), at);
    expect(await ask()).toBe("datacentre");
    expect(await ask({ platforms: { [node.platformId]: "home" } })).toBe("home");
    await refused(ask({ platforms: {} }), "PLATFORM_UNREGISTERED");
    await refused(ask({ denied: { platforms: [node.platformId] } }), "PLATFORM_DENIED");
    await refused(ask({ denied: { images: [node.imageHash] } }), "IMAGE_DENIED");
    await refused(ask({ denied: { bootIds: [node.bootId] } }), "BOOT_DENIED");
    await refused(ask({}, now + registryMaxAgeMs + 1), "REGISTRY_AGE");
    await refused(ask({}, now - 1), "REGISTRY_AGE");
    expect(await ask({}, now + registryMaxAgeMs)).toBe("datacentre");
  });
  test("lists are read again after five minutes, and a reader that fails is no list", async () => {
    let at = now;
    let reads = 0;
    const document = async () => {
      reads++;
      if (reads === 3) throw new Error("offline");
      return {
        v: 1,
        releases: [],
        minReleaseVersion: 0,
        platforms: {},
        denied: { platforms: [], images: [], bootIds: [] },
      };
    };
    const registry = cachedRegistry(document, () => at);
    await registry.lists();
    at += registryMaxAgeMs;
    await registry.lists();
    expect(reads).toBe(1);
    at += 1;
    expect((await registry.lists()).readAt).toBe(at);
    at += registryMaxAgeMs + 1;
    await refused(registry.lists(), "REGISTRY_VIEW");
    expect((await registry.lists()).readAt).toBe(at);
    expect(reads).toBe(4);
    await refused(
      cachedRegistry(
        async () => ({ v: 2 }),
        () => at,
      ).lists(),
      "REGISTRY_VIEW",
    );
  });
  test("a policy that needs a registry accepts nothing without one", async () => {
    await refused(ground.appraise({ policy: { registry: "required" } }), "REGISTRY_VIEW");
    const registry = desk.registry(desk.sign());
    const verdict = await ground.appraise({ policy: { registry: "required" }, registry });
    expect(verdict.hosting).toBe("datacentre");
  });
});

test("two worlds whose roles have the same names never admit each other", async () => {
  const other = await SimulatedWorld.create({ now });
  await refused(verifyQuote(ground.quote, ground.collateral, now, other.policy()), "CHAIN_ROOT");
});
