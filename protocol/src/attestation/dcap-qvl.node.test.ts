import { QuoteVerifier } from "@phala/dcap-qvl";
import { beforeAll, describe, expect, test } from "vitest";
import { dayMs, flipped, Ground, now, reportData, zeros } from "../../test/attacks/ground.ts";
import { mintCrl, pem } from "../simulation/certificate.ts";
import { SimulatedWorld } from "../simulation/index.ts";
import { fromHex, toHex, utf8 } from "../wire/encoding.ts";
import { type AttestationReason, type Collateral, verifyQuote } from "./index.ts";

/**
 * What @phala/dcap-qvl 0.3.9, the verifier that others use, calls UpToDate and this one refuses. Should a case
 * fail because dcap-qvl has learnt to refuse, delete the case: it documents why ours exists.
 */
let ground: Ground;
beforeAll(async () => {
  ground = await Ground.prepare();
});

interface Case {
  readonly world?: SimulatedWorld;
  readonly quote?: Uint8Array<ArrayBuffer>;
  readonly collateral?: Collateral;
  readonly at?: number;
}

function theirs({ world = ground.world, quote, collateral, at = now }: Case): string {
  const verifier = QuoteVerifier.newWithRootCa(Buffer.from(world.rootDer));
  const documents = collateral ?? ground.collateral;
  return verifier.verify(Buffer.from(quote ?? ground.quote), documents, at / 1_000).status;
}
const ours = ({ world = ground.world, quote, collateral, at = now }: Case) =>
  verifyQuote(quote ?? ground.quote, collateral ?? ground.collateral, at, world.policy());

async function hole(reason: AttestationReason, change: Case): Promise<void> {
  expect(theirs(change)).toBe("UpToDate");
  await expect(ours(change)).rejects.toMatchObject({ reason });
}
const withDocuments = (change: Partial<Collateral>) => ({ collateral: { ...ground.collateral, ...change } });

test("both accept what is good, and both refuse a quote that another key signed", async () => {
  expect(theirs({})).toBe("UpToDate");
  await expect(ours({})).resolves.toBeDefined();
  const bent = { quote: flipped(ground.quote, 48 + 520) };
  expect(() => theirs(bent)).toThrow();
  await expect(ours(bent)).rejects.toMatchObject({ reason: "QUOTE_SIGNATURE" });
});

describe("they accept revocation lists that are", () => {
  test("empty", () => hole("CRL_FORMAT", withDocuments({ pck_crl: "" })));
  test("garbage", () => hole("CRL_FORMAT", withDocuments({ pck_crl: "deadbeef" })));
  test("the root's", () => hole("CRL_ISSUER", withDocuments({ pck_crl: ground.collateral.root_ca_crl })));
  test("an attacker's, with the CA's name", async () => {
    const fields = { issuer: "Bombyx Simulated PCK Platform CA", thisUpdate: now, nextUpdate: now + dayMs };
    const crl = await mintCrl({ ...fields, revoked: [] }, ground.world.keys.attestation);
    await hole("CRL_SIGNATURE", withDocuments({ pck_crl: toHex(crl) }));
  });
  test("expired", async () => {
    const collateral = await ground.world.collateral(now, { pckCrl: { nextUpdate: now } });
    await hole("CRL_EXPIRED", { collateral });
  });
  test("stripped of the machine that they revoke", async () => {
    const collateral = await ground.world.collateral(now, { revoke: ["pck"] });
    await expect(ours({ collateral })).rejects.toMatchObject({ reason: "CERT_REVOKED" });
    await hole("CRL_FORMAT", { collateral: { ...collateral, pck_crl: "" } });
  });
});

describe("they accept chains with", () => {
  const inWorld = async (certificates: object) => {
    const world = await SimulatedWorld.create({ now, certificates });
    return { world, quote: await world.quote(reportData), collateral: await world.collateral(now) };
  };
  test("an end entity as CA", async () =>
    hole("CERT_NOT_CA", await inWorld({ pckCa: { pathLength: undefined, usage: "ca" } })));
  test("an issuer of another name", async () =>
    hole("CHAIN_NAME", await inWorld({ pckCa: { issuer: "Somebody Else" } })));
  test("a machine's own certificate as signer of TCB info", async () => {
    const { tcb_info, pck_crl_issuer_chain } = ground.collateral;
    const tcb_info_issuer_chain = pem(await ground.world.pckCertificate()) + pck_crl_issuer_chain;
    const tcb_info_signature = toHex(await ground.world.keys.pck.sign(utf8(tcb_info)));
    await hole("CHAIN_LENGTH", withDocuments({ tcb_info_issuer_chain, tcb_info_signature }));
  });
});

describe("they accept quotes with", () => {
  test.each<[string, AttestationReason, Parameters<Ground["withQuote"]>[0]]>([
    ["another PCEID", "PCEID", { pceId: "0001" }],
    ["another vendor's quoting enclave", "QUOTE_VENDOR", { header: { qeVendorId: zeros(16) } }],
    ["a TDX module that Intel did not sign", "MODULE_SIGNER", { body: { mrSignerSeam: `01${zeros(47)}` } }],
    ["a TDX module with attributes", "MODULE_ATTRIBUTES", { body: { seamAttributes: `01${zeros(7)}` } }],
    ["an outdated TDX module", "MODULE_TCB_STATUS", { body: { teeTcbSvn: `060103${zeros(13)}` } }],
    ["an unknown TDX module", "MODULE_UNKNOWN", { body: { teeTcbSvn: `070203${zeros(13)}` } }],
    ["performance monitoring by the host", "TD_ATTRIBUTES", { body: { tdAttributes: "0000001000000080" } }],
  ])("%s", async (_, reason, variant) =>
    hole(reason, { quote: await ground.world.quote(reportData, variant) }),
  );
});

test("they accept every certificate and document at a time that is no number", async () => {
  await hole("TIME", { at: Number.NaN });
  expect(() => theirs({ at: now + 3_000 * dayMs })).toThrow();
});

test("what they call OutOfDate is for the caller to refuse; ours refuses", async () => {
  const { tcbLevels } = JSON.parse(ground.collateral.tcb_info) as { tcbLevels: readonly object[] };
  const collateral = await ground.world.collateral(now, {
    tcbInfo: { tcbLevels: [{ ...tcbLevels[0], tcbStatus: "OutOfDate" }] },
  });
  expect(theirs({ collateral })).toBe("OutOfDate");
  await expect(ours({ collateral })).rejects.toMatchObject({ reason: "TCB_STATUS" });
  expect(fromHex(ground.collateral.pck_crl).length).toBeGreaterThan(100);
});
