import { ready, signReceipt } from "@bombyx/protocol/receipt";
import { newSigningKeyPair } from "@bombyx/protocol/session";
import type { Receipt, SignedReceipt } from "@bombyx/protocol/wire";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Attempt } from "../src/relay/attempt.ts";
import { RunningReceipts } from "../src/relay/running-receipts.ts";
import { id16, id32 } from "./attempts.ts";

let key: ReturnType<typeof newSigningKeyPair>;
let now = 0;
let settled: SignedReceipt[] = [];
let refused: unknown[] = [];
let receipts: RunningReceipts;
const attempt = {} as Attempt;

beforeAll(() => ready);
beforeEach(() => {
  key = newSigningKeyPair();
  now = 0;
  settled = [];
  refused = [];
  receipts = new RunningReceipts({ settle: async (signed) => settled.push(signed) as never }, () => now);
});

function running(frames: number): SignedReceipt {
  const receipt: Receipt = {
    v: 1,
    attestationId: id32("attestation"),
    session: id32("session"),
    request: 0,
    idempotencyId: id16("question"),
    manifest: id32("manifest"),
    priceId: id16("price"),
    coefficient: 1_000,
    capUnits: 1_024,
    ceilingUnits: 1_024,
    units: frames,
    frames,
    finish: "running",
    requestHash: id32("request"),
    framesHash: id32("frames"),
    detailHash: id32("detail"),
  };
  return signReceipt(receipt, key.privateKey);
}

const remember = (signed: SignedReceipt) =>
  receipts.remember(attempt, signed, key.publicKey, (error) => refused.push(error));

describe("the last running receipt of an answer", () => {
  it("is with the ledger when its node is lost, and the ones before it never are", () => {
    remember(running(64));
    remember(running(128));
    remember(running(64));
    expect(settled).toEqual([]);
    receipts.keep(attempt);
    receipts.keep(attempt);
    expect(settled.map(({ receipt }) => receipt.frames)).toEqual([128]);
    expect(refused).toEqual([]);
  });

  it("is with the ledger ten seconds after the first that it does not have", () => {
    remember(running(64));
    now = 9_999;
    remember(running(128));
    receipts.check();
    expect(settled).toEqual([]);
    now = 10_000;
    receipts.check();
    expect(settled.map(({ receipt }) => receipt.frames)).toEqual([128]);
  });

  it("is worth nothing behind the final one", () => {
    remember(running(64));
    receipts.forget(attempt);
    receipts.keep(attempt);
    expect(settled).toEqual([]);
  });

  it("that another key signed pays nothing and is refused", () => {
    const { receipt } = running(64);
    remember({ receipt, signature: running(128).signature });
    receipts.keep(attempt);
    expect(settled).toEqual([]);
    expect(refused).toEqual([expect.objectContaining({ code: "RECEIPT_INVALID" })]);
  });
});
