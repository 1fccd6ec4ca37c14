import { createPrivateKey, sign } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toHex, utf8, type WalletProof, walletChallengeMs, walletProofSchema } from "@bombyx/protocol/wire";
import { beginCell, Cell, contractAddress, type StateInit, storeStateInit } from "@ton/core";
import { keyPairFromSeed } from "@ton/crypto";
import { WalletContractV3R2, WalletContractV4, WalletContractV5R1 } from "@ton/ton";
import { describe, expect, it } from "vitest";
import { openStore } from "../store/open-store.ts";
import { proofDigest } from "./ton-proof.ts";
import { Wallets } from "./wallets.ts";

const globalId = -3;
const host = "app.example";
const start = Date.UTC(2026, 10, 22);
const account = "person:1:42";
const keys = keyPairFromSeed(Buffer.alloc(32, 7));
const stranger = keyPairFromSeed(Buffer.alloc(32, 8));

const v5 = (network = globalId, publicKey = keys.publicKey) =>
  WalletContractV5R1.create({ publicKey, walletId: { networkGlobalId: network } });

/** Code that is nobody's wallet. */
const oddInit: StateInit = {
  code: beginCell().storeUint(1, 8).endCell(),
  data: beginCell().storeBuffer(keys.publicKey).endCell(),
};

function world(onChain: ReadonlyMap<string, Uint8Array> = new Map()) {
  let now = start;
  const store = openStore({ dataDir: mkdtempSync(join(tmpdir(), "bombyx-wallets-")) });
  const wallets = new Wallets(
    store.db,
    { globalId, domains: [host], publicKeyOnChain: async (address) => onChain.get(address) },
    () => now,
  );
  return {
    wallets,
    pass: (ms: number) => {
      now += ms;
    },
    now: () => now,
  };
}

interface Made {
  readonly init?: StateInit;
  readonly secretKey?: Buffer;
  readonly change?: (proof: WalletProof) => WalletProof;
  /** What the wallet signs, when it is not what it shows. */
  readonly signed?: (proof: WalletProof["proof"]) => WalletProof["proof"];
  readonly address?: string;
}

/** What a wallet answers to a challenge. */
function made(payload: string, at: number, given: Made = {}): WalletProof {
  const { init = v5().init, secretKey = keys.secretKey } = given;
  const address = given.address ?? contractAddress(0, init).toRawString();
  const proof = {
    timestamp: Math.floor(at / 1_000),
    domain: { lengthBytes: host.length, value: host },
    payload,
    signature: "",
  };
  const shown: WalletProof = {
    address,
    network: String(globalId),
    publicKey: toHex(keys.publicKey),
    walletStateInit: beginCell().store(storeStateInit(init)).endCell().toBoc().toString("base64"),
    proof,
  };
  const changed = given.change?.(shown) ?? shown;
  const digest = proofDigest(changed.address, given.signed?.(changed.proof) ?? changed.proof);
  const key = createPrivateKey({
    key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), secretKey.subarray(0, 32)]),
    format: "der",
    type: "pkcs8",
  });
  const signature = sign(null, digest, key).toString("base64");
  return walletProofSchema.parse({ ...changed, proof: { ...changed.proof, signature } });
}

describe("a wallet is bound to an account", () => {
  it.each([
    ["V3R2", WalletContractV3R2.create({ workchain: 0, publicKey: keys.publicKey }).init],
    ["V4R2", WalletContractV4.create({ workchain: 0, publicKey: keys.publicKey }).init],
    ["V5R1", v5().init],
    [
      "V5R1, another subwallet",
      WalletContractV5R1.create({
        publicKey: keys.publicKey,
        walletId: {
          networkGlobalId: globalId,
          context: { walletVersion: "v5r1", workchain: 0, subwalletNumber: 5 },
        },
      }).init,
    ],
  ] as const)("by its proof: %s", async (_, init) => {
    const { wallets, now } = world();
    const { payload } = await wallets.challenge(account);
    const shown = made(payload, now(), { init: init as StateInit });
    expect(await wallets.prove(account, shown)).toEqual({ address: shown.address, provenAt: start });
    expect(await wallets.of(account)).toEqual({ address: shown.address, provenAt: start });
    expect(await wallets.of("person:1:43")).toBeUndefined();
  });

  it("when its code is unknown, by the key that it tells on the chain", async () => {
    const address = contractAddress(0, oddInit).toRawString();
    const { wallets, now } = world(new Map([[address, keys.publicKey]]));
    const { payload } = await wallets.challenge(account);
    const shown = made(payload, now(), { init: oddInit });
    expect(await wallets.prove(account, shown)).toMatchObject({ address });
  });

  it("until another one proves itself, and each proof is good once", async () => {
    const { wallets, now } = world();
    const first = await wallets.challenge(account);
    const shown = made(first.payload, now());
    await wallets.prove(account, shown);
    await expect(wallets.prove(account, shown)).rejects.toMatchObject({ code: "WALLET_CHALLENGE" });
    const second = await wallets.challenge(account);
    const other = made(second.payload, now(), {
      init: WalletContractV4.create({ workchain: 0, publicKey: keys.publicKey }).init,
    });
    await wallets.prove(account, other);
    expect((await wallets.of(account))?.address).toBe(other.address);
    await wallets.forget(account);
    expect(await wallets.of(account)).toBeUndefined();
    await expect(wallets.forget(account)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("once, of two who show one proof at the same time", async () => {
    const { wallets, now } = world();
    const { payload } = await wallets.challenge(account);
    const shown = made(payload, now());
    const both = await Promise.allSettled([wallets.prove(account, shown), wallets.prove(account, shown)]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });
});

const at = (timestamp: number) => (shown: WalletProof) => ({
  ...shown,
  proof: { ...shown.proof, timestamp },
});
const domain =
  (value: string, lengthBytes = value.length) =>
  (shown: WalletProof) => ({
    ...shown,
    proof: { ...shown.proof, domain: { value, lengthBytes } },
  });
const second = Math.floor(start / 1_000);

describe("a proof is refused, and nothing is bound", () => {
  it.each<[string, string, Made]>([
    ["of another network", "WALLET_NETWORK", { change: (shown) => ({ ...shown, network: "-239" }) }],
    ["of a wallet made for another network", "WALLET_NETWORK", { init: v5(-239).init }],
    ["made at another page", "WALLET_DOMAIN", { change: domain("evil.example") }],
    [
      "whose domain has another length than it says",
      "WALLET_DOMAIN",
      { change: domain(host, host.length - 4) },
    ],
    [
      "that is older than 15 minutes",
      "WALLET_PROOF_TIME",
      { change: at(second - walletChallengeMs / 1_000 - 1) },
    ],
    ["of the future", "WALLET_PROOF_TIME", { change: at(second + 120) }],
    [
      "with a payload that nobody gave out",
      "WALLET_CHALLENGE",
      { change: (shown) => ({ ...shown, proof: { ...shown.proof, payload: "ab".repeat(32) } }) },
    ],
    [
      "with another wallet's StateInit",
      "WALLET_STATE_INIT",
      { address: v5(-3, stranger.publicKey).address.toRawString() },
    ],
    [
      "with cells that are no StateInit",
      "WALLET_STATE_INIT",
      { change: (shown) => ({ ...shown, walletStateInit: new Cell().toBoc().toString("base64") }) },
    ],
    ["of code that nobody knows, not on the chain", "WALLET_CODE", { init: oddInit }],
    [
      "with another key beside the wallet",
      "WALLET_KEY",
      { change: (shown) => ({ ...shown, publicKey: toHex(stranger.publicKey) }) },
    ],
    ["signed by another key", "WALLET_SIGNATURE", { secretKey: stranger.secretKey }],
    [
      "signed for another payload than it shows",
      "WALLET_SIGNATURE",
      { signed: (proof) => ({ ...proof, payload: "cd".repeat(32) }) },
    ],
  ])("%s: %s", async (_, code, given) => {
    const { wallets, now } = world();
    const { payload } = await wallets.challenge(account);
    await expect(wallets.prove(account, made(payload, now(), given))).rejects.toMatchObject({ code });
    expect(await wallets.of(account)).toBeUndefined();
    // Its untampered twin, with the same challenge.
    await wallets.prove(account, made(payload, now()));
  });

  it("of a challenge of another account, that ended, or that newer ones replaced", async () => {
    const { wallets, pass, now } = world();
    const theirs = await wallets.challenge("person:1:43");
    const refused = { code: "WALLET_CHALLENGE" };
    await expect(wallets.prove(account, made(theirs.payload, now()))).rejects.toMatchObject(refused);
    const old = await wallets.challenge(account);
    pass(walletChallengeMs);
    await expect(wallets.prove(account, made(old.payload, now()))).rejects.toMatchObject(refused);
    const first = await wallets.challenge(account);
    for (let more = 0; more < 4; more++) {
      pass(1);
      await wallets.challenge(account);
    }
    await expect(wallets.prove(account, made(first.payload, now()))).rejects.toMatchObject(refused);
  });

  it("before anything is read from the store or the chain when it is not for this network", async () => {
    let asked = 0;
    const { db } = openStore({ dataDir: mkdtempSync(join(tmpdir(), "bombyx-wallets-")) });
    const publicKeyOnChain = async () => {
      asked++;
      return undefined;
    };
    const wallets = new Wallets(db, { globalId: -239, domains: [host], publicKeyOnChain }, () => start);
    await expect(wallets.prove(account, made("00", start, { init: oddInit }))).rejects.toMatchObject({
      code: "WALLET_NETWORK",
    });
    expect(asked).toBe(0);
  });
});

it("a digest is the one that the standard describes", () => {
  const proof = { timestamp: 1, domain: { lengthBytes: 3, value: "a.b" }, payload: "p" };
  const digest = proofDigest(`0:${"00".repeat(32)}`, proof);
  expect(digest).toHaveLength(32);
  for (const change of [{ timestamp: 2 }, { payload: "q" }, { domain: { lengthBytes: 4, value: "a.b" } }]) {
    expect(toHex(proofDigest(`0:${"00".repeat(32)}`, { ...proof, ...change }))).not.toBe(toHex(digest));
  }
  expect(utf8("a.b")).toHaveLength(3);
});
