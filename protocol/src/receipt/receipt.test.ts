import { beforeAll, describe, expect, it } from "vitest";
import { flipped } from "../../test/session-pair.ts";
import { newSigningKeyPair } from "../session/index.ts";
import { fromHex, type Price, type Receipt, type ReceiptDetail, toHex, utf8 } from "../wire/index.ts";
import {
  auditReceipt,
  billedUnits,
  blake2b256,
  capUnits,
  detailHash,
  FramesHash,
  priceId,
  ready,
  receiptId,
  requestHash,
  runningDetailHash,
  signReceipt,
  verifyReceipt,
} from "./index.ts";

const row = {
  model: "spark",
  nanoPerUnit: 20n,
  promptMultiplier: 10_000,
  cachedMultiplier: 1_000,
  completionMultiplier: 80_000,
  reasoningMultiplier: 80_000,
};
const detail: ReceiptDetail = {
  promptTokens: 34,
  cachedTokens: 11,
  completionTokens: 100,
  reasoningTokens: 10,
  continuation: false,
  finishReason: "stop",
  seed: 4_000_000_000,
  sampler: { temperature: 0.7, topP: 0.95, topK: 40 },
  salt: "5a".repeat(32),
};

let price: Price;
let receipt: Receipt;
let node: ReturnType<typeof newSigningKeyPair>;
beforeAll(async () => {
  await ready;
  node = newSigningKeyPair();
  price = { id: priceId(row), ...row };
  receipt = {
    v: 1,
    attestationId: "a1".repeat(32),
    session: "5e".repeat(32),
    request: 7,
    idempotencyId: "1d".repeat(16),
    manifest: "3a".repeat(32),
    priceId: price.id,
    coefficient: 1_500,
    capUnits: capUnits({ bucketBytes: 1_024, maxTokens: 256, continuation: false }, 1_500, price),
    ceilingUnits: 100_000,
    units: billedUnits(detail, 1_500, price),
    frames: 12,
    finish: "done",
    requestHash: toHex(requestHash(utf8("sealed"))),
    framesHash: toHex(new FramesHash().digest),
    detailHash: toHex(detailHash(detail)),
  };
});

const invalid = expect.objectContaining({ code: "RECEIPT_INVALID" });

describe("a signed receipt", () => {
  it("is verified by the node's key, and read back as it was", () => {
    const signed = signReceipt(receipt, node.privateKey);
    expect(verifyReceipt(JSON.parse(JSON.stringify(signed)), node.publicKey)).toEqual(receipt);
  });

  it("with any other value in any one field is refused", () => {
    const signed = signReceipt(receipt, node.privateKey);
    const another = (value: string | number): string | number =>
      typeof value === "number" ? value + 1 : `${value.startsWith("0") ? "1" : "0"}${value.slice(1)}`;
    for (const [field, value] of Object.entries(receipt)) {
      const changed = field === "finish" ? "cancelled" : another(value);
      const forged = { ...signed, receipt: { ...receipt, [field]: changed } };
      expect(() => verifyReceipt(forged, node.publicKey), field).toThrowError(invalid);
    }
    expect(verifyReceipt(signed, node.publicKey)).toEqual(receipt);
  });

  it("with a field more or a field less is refused", () => {
    const signed = signReceipt(receipt, node.privateKey);
    expect(() => verifyReceipt({ ...signed, extra: 1 }, node.publicKey)).toThrowError(invalid);
    expect(() =>
      verifyReceipt({ ...signed, receipt: { ...receipt, extra: 1 } }, node.publicKey),
    ).toThrowError(invalid);
    const { units: _, ...less } = receipt;
    expect(() => verifyReceipt({ ...signed, receipt: less }, node.publicKey)).toThrowError(invalid);
    expect(() => verifyReceipt(undefined, node.publicKey)).toThrowError(invalid);
  });

  it("with any other signature, or another node's key, is refused", () => {
    const signed = signReceipt(receipt, node.privateKey);
    for (let at = 0; at < 64; at++) {
      const signature = toHex(flipped(fromHex(signed.signature), at));
      expect(() => verifyReceipt({ receipt, signature }, node.publicKey)).toThrowError(invalid);
    }
    expect(() => verifyReceipt(signed, newSigningKeyPair().publicKey)).toThrowError(invalid);
    expect(() => verifyReceipt(signed, node.publicKey.subarray(0, 31))).toThrowError(invalid);
    expect(() => verifyReceipt(signed, node.publicKey)).not.toThrow();
  });

  it("settles once per attestation, session and request", () => {
    const id = receiptId(receipt);
    expect(receiptId({ ...receipt, finish: "running", units: 64 })).toBe(id);
    expect(receiptId({ ...receipt, request: 8 })).not.toBe(id);
    expect(receiptId({ ...receipt, session: "5f".repeat(32) })).not.toBe(id);
    expect(receiptId({ ...receipt, attestationId: "a2".repeat(32) })).not.toBe(id);
  });
});

describe("the client's audit", () => {
  it("passes when the sealed detail makes the units billed", () => {
    expect(() => auditReceipt(receipt, detail, price)).not.toThrow();
  });

  it("refuses a detail that is not the one committed to, whichever field differs", () => {
    const others: Partial<ReceiptDetail>[] = [
      { promptTokens: 35 },
      { cachedTokens: 10 },
      { completionTokens: 99 },
      { reasoningTokens: 9 },
      { continuation: true },
      { finishReason: "length" },
      { seed: 1 },
      { sampler: { temperature: 0.8, topP: 0.95, topK: 40 } },
      { salt: "5b".repeat(32) },
    ];
    for (const other of others) {
      expect(() => auditReceipt(receipt, { ...detail, ...other }, price)).toThrowError(invalid);
    }
  });

  it.each([-64, -1, 1, 64])("refuses units that are off by %i", (off) => {
    expect(() => auditReceipt({ ...receipt, units: receipt.units + off }, detail, price)).toThrowError(
      invalid,
    );
  });

  it("wants the lower of cap and ceiling where the counts go beyond it", () => {
    const ceiling = { ...receipt, ceilingUnits: 640, units: 640 };
    expect(() => auditReceipt(ceiling, detail, price)).not.toThrow();
    expect(() => auditReceipt({ ...ceiling, units: receipt.units }, detail, price)).toThrowError(invalid);
    expect(() => auditReceipt({ ...receipt, capUnits: 128, units: 128 }, detail, price)).not.toThrow();
  });

  it("refuses another price row than the one agreed on", () => {
    const dearer = { ...row, nanoPerUnit: 21n };
    expect(() => auditReceipt(receipt, detail, { id: priceId(dearer), ...dearer })).toThrowError(invalid);
  });

  it("refuses counts that contradict each other, though they are the ones committed to", () => {
    const impossible = { ...detail, cachedTokens: 35 };
    const committed = { ...receipt, detailHash: toHex(detailHash(impossible)) };
    expect(() => auditReceipt(committed, impossible, price)).toThrowError(invalid);
  });
});

describe("hashes of a receipt", () => {
  it("a price row's id changes with every field of it", () => {
    const ids = [
      priceId(row),
      priceId({ ...row, model: "other" }),
      ...(Object.keys(row) as (keyof typeof row)[])
        .filter((field) => field !== "model" && field !== "nanoPerUnit")
        .map((field) => priceId({ ...row, [field]: 1 })),
      priceId({ ...row, nanoPerUnit: 21n }),
    ];
    expect(new Set(ids).size).toBe(ids.length);
    expect(priceId({ ...row })).toBe(ids[0]);
  });

  it("the chain over frames tells their order and where one ends", () => {
    const chain = (...frames: string[]): string => {
      const hash = new FramesHash();
      for (const frame of frames) hash.push(utf8(frame));
      return toHex(hash.digest);
    };
    const chains = [chain(), chain("ab"), chain("a", "b"), chain("b", "a"), chain("a"), chain("ab", "")];
    expect(new Set(chains).size).toBe(chains.length);
    expect(chain("a", "b")).toBe(chains[2]);
    expect(chains[0]).toBe(toHex(blake2b256(utf8("bombyx/frames/v1\0"))));
  });

  it("a running receipt's detail is bound to session, request and every count", () => {
    const key = new Uint8Array(32).fill(9);
    const hashes = [
      runningDetailHash(key, 7, detail),
      runningDetailHash(key, 8, detail),
      runningDetailHash(new Uint8Array(32).fill(8), 7, detail),
      runningDetailHash(key, 7, { ...detail, promptTokens: 35 }),
      runningDetailHash(key, 7, { ...detail, cachedTokens: 12 }),
      runningDetailHash(key, 7, { ...detail, completionTokens: 101 }),
      runningDetailHash(key, 7, { ...detail, reasoningTokens: 11 }),
      runningDetailHash(key, 7, { ...detail, continuation: true }),
    ].map(toHex);
    expect(new Set(hashes).size).toBe(hashes.length);
    // Counts alone: what else a detail holds is not known while it runs.
    expect(toHex(runningDetailHash(key, 7, { ...detail, seed: 1 } as ReceiptDetail))).toBe(hashes[0]);
  });
});
