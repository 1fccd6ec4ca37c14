import { fork } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signReceipt, verifySignature, voucherCell } from "@bombyx/protocol/receipt";
import { newSigningKeyPair, ready } from "@bombyx/protocol/session";
import { fromHex, type Receipt, toHex, type Voucher } from "@bombyx/protocol/wire";
import {
  type ExpectedCharge,
  memoryStore,
  type OwnReceipt,
  type PageLocks,
  pageStore,
  totalOf,
  VoucherSigner,
  type VoucherStore,
} from "@bombyx/sdk/payment";
import { fileStore } from "@bombyx/sdk/payment-file";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

beforeAll(() => ready);

const identity = {
  globalId: -2_026,
  channel: `0:${"c1".repeat(32)}`,
  vault: `0:${"a1".repeat(32)}`,
  owner: `0:${"b1".repeat(32)}`,
  salt: "7",
};
const node = () => {
  const { publicKey, privateKey } = newSigningKeyPair(new Uint8Array(32).fill(9));
  return { sigPk: toHex(publicKey), privateKey };
};
const id = (bytes: number, n: number) => n.toString(16).padStart(bytes * 2, "0");

const expected = (n: number, changes: Partial<ExpectedCharge> = {}): ExpectedCharge => ({
  session: id(32, n),
  request: 0,
  attestationId: id(32, 1),
  sigPk: node().sigPk,
  idempotencyId: id(16, n),
  priceId: id(16, 1),
  nanoPerUnit: "20",
  coefficient: 1_000,
  ceilingUnits: 640,
  requestHash: id(32, n),
  at: 1,
  ...changes,
});
const receiptOf = (n: number, changes: Partial<Receipt> = {}) => {
  const { sigPk: _, nanoPerUnit: __, at: ___, ...agreed } = expected(n);
  const receipt: Receipt = {
    v: 1,
    ...agreed,
    manifest: id(32, 1),
    capUnits: 1_000,
    units: 128,
    frames: 3,
    finish: "done",
    framesHash: id(32, 2),
    detailHash: id(32, 3),
    ...changes,
  };
  return signReceipt(receipt, node().privateKey);
};
const costNano = 128n * 20n;

async function hashOf(voucher: Voucher): Promise<Uint8Array> {
  const { globalId, channel, vault, total } = voucher;
  const cell = voucherCell({ globalId, channel, vault, totalNano: BigInt(total) });
  return new Uint8Array(await crypto.subtle.digest("SHA-256", cell));
}
const isSigned = async (voucher: Voucher) =>
  verifySignature(fromHex(voucher.signature), await hashOf(voucher), fromHex(voucher.voucherKey));

describe("a signer", () => {
  it("raises its total by receipts that it checked, each once, and signs nothing else", async () => {
    const signer = await VoucherSigner.create(identity, memoryStore());
    expect(await signer.voucher()).toBeUndefined();
    await signer.expect(expected(1));
    expect(await signer.charge(receiptOf(1))).toBe(costNano);
    expect(await signer.charge(receiptOf(1))).toBe(0n);
    // Nothing was asked for this one.
    expect(await signer.charge(receiptOf(2))).toBe(0n);
    const voucher = await signer.voucher();
    expect(voucher).toMatchObject({
      ...termsOf(identity),
      total: `${costNano}`,
      voucherKey: signer.voucherKey,
    });
    expect(voucher && (await isSigned(voucher))).toBe(true);
    expect(voucher && (await isSigned({ ...voucher, total: `${costNano + 1n}` }))).toBe(false);
  });

  it.each([
    ["by another node", () => signReceipt(receiptOf(1).receipt, newSigningKeyPair().privateKey), undefined],
    ["for another question", () => receiptOf(1, { idempotencyId: id(16, 5) }), "idempotencyId"],
    ["for other bytes", () => receiptOf(1, { requestHash: id(32, 5) }), "requestHash"],
    ["at another price", () => receiptOf(1, { priceId: id(16, 5) }), "priceId"],
    ["by a dearer coefficient", () => receiptOf(1, { coefficient: 2_000 }), "coefficient"],
    ["above the ceiling", () => receiptOf(1, { units: 704 }), "units"],
    ["with a ceiling of its own", () => receiptOf(1, { ceilingUnits: 10_000 }), "ceilingUnits"],
  ])("signs nothing for a receipt %s", async (_how, forged, field) => {
    const signer = await VoucherSigner.create(identity, memoryStore());
    await signer.expect(expected(1));
    await expect(signer.charge(forged())).rejects.toMatchObject({ code: "RECEIPT_INVALID", field });
    expect(signer.checkedNano).toBe(0n);
    expect(await signer.voucher()).toBeUndefined();
    // The genuine one still counts.
    expect(await signer.charge(receiptOf(1))).toBe(costNano);
  });

  it("counts what a lost node signed so far, and of its last word only what is more", async () => {
    const signer = await VoucherSigner.create(identity, memoryStore());
    await signer.expect(expected(1));
    expect(await signer.charge(receiptOf(1, { finish: "running", units: 64 }))).toBe(64n * 20n);
    expect(await signer.charge(receiptOf(1, { units: 128 }))).toBe(64n * 20n);
    expect(signer.checkedNano).toBe(costNano);
    expect(signer.expected).toEqual([]);
  });

  it("knows a voucher that it never signed for its second signer's, and does nothing more", async () => {
    const store = memoryStore();
    const signer = await VoucherSigner.create(identity, store);
    await signer.expect(expected(1));
    await signer.charge(receiptOf(1));
    const own = await signer.voucher();
    if (!own) throw new Error("nothing was signed");
    await signer.confront(own);

    const copy = await VoucherSigner.restore(signer.backup, 5_000n, memoryStore());
    const foreign = await copy.voucher();
    if (!foreign) throw new Error("nothing was signed");
    // A gateway that only claims to have one, or shows somebody else's, shows nothing.
    await signer.confront({ ...foreign, total: "9000" });
    await signer.confront({ ...foreign, voucherKey: id(32, 3) });
    await expect(signer.confront(foreign)).rejects.toMatchObject({ code: "SECOND_SIGNER" });
    await expect(signer.voucher()).rejects.toMatchObject({ code: "SECOND_SIGNER" });
    await expect(signer.expect(expected(2))).rejects.toMatchObject({ code: "SECOND_SIGNER" });
  });

  it("rotates when the chain has the new key, and knows vouchers of the old one", async () => {
    const signer = await VoucherSigner.create(identity, memoryStore());
    const first = signer.voucherKey;
    const old = await VoucherSigner.restore(signer.backup, 5_000n, memoryStore());
    const next = await signer.rotate();
    expect(await signer.rotate()).toBe(next);
    expect(next).not.toBe(first);
    expect(await signer.adopt(first)).toBe(false);
    expect(signer.voucherKey).toBe(first);
    expect(await signer.adopt(next)).toBe(true);
    expect(signer.voucherKey).toBe(next);
    await signer.expect(expected(1));
    await signer.charge(receiptOf(1));
    expect(await signer.voucher()).toMatchObject({ voucherKey: next, total: `${costNano}` });
    const foreign = await old.voucher();
    await expect(foreign && signer.confront(foreign)).rejects.toMatchObject({ code: "SECOND_SIGNER" });
  });

  it("goes on from its own receipts when its state is lost", async () => {
    const signer = await VoucherSigner.create(identity, memoryStore());
    const journal: OwnReceipt[] = [];
    for (const n of [1, 2, 3]) {
      await signer.expect(expected(n));
      await signer.charge(receiptOf(n));
      journal.push({ expected: expected(n), signed: receiptOf(n) });
    }
    const before = await signer.voucher();
    // Kept twice, and once before its end.
    journal.push(journal[0]!, {
      expected: expected(2),
      signed: receiptOf(2, { finish: "running", units: 64 }),
    });
    const total = await totalOf(journal);
    expect(total).toBe(3n * costNano);
    const again = await VoucherSigner.restore(signer.backup, total, memoryStore());
    expect(await again.voucher()).toEqual(before);
    if (before) await again.confront(before);
    await expect(
      totalOf([...journal, { expected: expected(4), signed: receiptOf(5) }]),
    ).rejects.toMatchObject({ code: "RECEIPT_INVALID" });
  });

  it("keeps what it signs before anybody sees it", async () => {
    const inner = memoryStore();
    let broken = false;
    const store: VoucherStore = {
      ...inner,
      replace: async (before, next) => {
        if (broken) throw new Error("the disk is full");
        return inner.replace(before, next);
      },
    };
    const signer = await VoucherSigner.create(identity, store);
    await signer.expect(expected(1));
    await signer.charge(receiptOf(1));
    broken = true;
    await expect(signer.voucher()).rejects.toThrow(/disk is full/);
    expect(signer.signedNano).toBe(0n);
    broken = false;
    expect(await signer.voucher()).toMatchObject({ total: `${costNano}` });
    expect((await inner.read())?.signedNano).toBe(`${costNano}`);
  });

  it("writes what comes at once together", async () => {
    const inner = memoryStore();
    let writes = 0;
    const store: VoucherStore = {
      ...inner,
      replace: (before, next) => {
        writes++;
        return inner.replace(before, next);
      },
    };
    const signer = await VoucherSigner.create(identity, store);
    await Promise.all(Array.from({ length: 100 }, (_, n) => signer.expect(expected(n + 1))));
    await Promise.all(Array.from({ length: 100 }, (_, n) => signer.charge(receiptOf(n + 1))));
    expect(signer.checkedNano).toBe(100n * costNano);
    expect((await inner.read())?.checkedNano).toBe(`${100n * costNano}`);
    expect(writes).toBeLessThan(10);
  });
});

const termsOf = ({ globalId, channel, vault }: typeof identity) => ({ globalId, channel, vault });

describe("one store", () => {
  it("has one signer at a time, and the next one goes on", async () => {
    const store = memoryStore();
    const first = await VoucherSigner.create(identity, store);
    await expect(VoucherSigner.open(store)).rejects.toMatchObject({ code: "SECOND_SIGNER" });
    await first.expect(expected(1));
    await first.charge(receiptOf(1));
    await first.close();
    const second = await VoucherSigner.open(store);
    expect(second.checkedNano).toBe(costNano);
    await expect(VoucherSigner.create(identity, memoryStore(await store.read()))).rejects.toMatchObject({
      code: "ALREADY_USED",
    });
  });

  it("tells a signer that somebody wrote beside it, whatever the lock says", async () => {
    const store = memoryStore();
    const first = await VoucherSigner.create(identity, store);
    const deaf: VoucherStore = { ...store, acquire: async () => () => undefined };
    const second = await VoucherSigner.open(deaf);
    await expect(first.expect(expected(1))).rejects.toMatchObject({ code: "SECOND_SIGNER" });
    await expect(first.voucher()).rejects.toMatchObject({ code: "SECOND_SIGNER" });
    await second.expect(expected(1));
  });

  it("of a page is one tab's", async () => {
    const kept = new Map<string, string>();
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    };
    const taken = new Set<string>();
    const locks: PageLocks = {
      request: async (name, _options, callback) => {
        if (taken.has(name)) return await callback(null);
        taken.add(name);
        await callback({});
        taken.delete(name);
      },
    };
    const tab = await VoucherSigner.create(identity, pageStore("wallet", storage, locks));
    await expect(VoucherSigner.open(pageStore("wallet", storage, locks))).rejects.toMatchObject({
      code: "SECOND_SIGNER",
    });
    await tab.close();
    const next = await VoucherSigner.open(pageStore("wallet", storage, locks));
    expect(next.voucherKey).toBe(tab.voucherKey);
  });
});

describe("a store in a file", () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "bombyx-voucher-"));
    file = join(folder, "channel.json");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("is for its user alone, and is gone through by one signer", async () => {
    const signer = await VoucherSigner.create(identity, fileStore(file));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await expect(VoucherSigner.open(fileStore(file))).rejects.toMatchObject({ code: "SECOND_SIGNER" });
    await signer.expect(expected(1));
    await signer.charge(receiptOf(1));
    const voucher = await signer.voucher();
    await signer.close();
    const again = await VoucherSigner.open(fileStore(file));
    expect(await again.voucher()).toEqual(voucher);
    await again.close();
  });

  it("is refused to a second process while the first lives, and given to one after it was killed", async () => {
    const signer = await VoucherSigner.create(identity, fileStore(file));
    await signer.close();
    const child = fork(join(import.meta.dirname, "stand-in/signer-process.ts"), [file], {
      execArgv: ["-C", "bombyx-source"],
    });
    await new Promise((ready) => child.once("message", ready));
    await expect(VoucherSigner.open(fileStore(file))).rejects.toMatchObject({
      code: "SECOND_SIGNER",
      message: expect.stringContaining(`Process ${child.pid}`),
    });
    const gone = new Promise((exited) => child.once("exit", exited));
    child.kill("SIGKILL");
    await gone;
    const heir = await VoucherSigner.open(fileStore(file));
    await heir.expect(expected(1));
    await heir.close();
  });

  it("is refused when it is none", async () => {
    await expect(VoucherSigner.open(fileStore(file))).rejects.toMatchObject({ code: "NOT_FOUND" });
    await writeFile(file, "{}");
    await expect(VoucherSigner.open(fileStore(file))).rejects.toMatchObject({ code: "BAD_REQUEST" });
    expect(await readFile(file, "utf8")).toBe("{}");
  });
});
