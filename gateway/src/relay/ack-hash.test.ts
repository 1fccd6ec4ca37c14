import { packAck } from "@bombyx/contracts/vault-messages";
import type { Ack } from "@bombyx/protocol/wire";
import { expect, it } from "vitest";
import { basechainAddress } from "../chain/address.ts";
import { ackHash } from "./ack-hash.ts";

const ack: Ack = {
  globalId: -3,
  vault: "a1".repeat(32),
  account: "0b".repeat(32),
  index: 5,
  epoch: 7,
  n: 12,
  cumulativeNano: "24700",
  heldNano: "0",
  receiptsHash: "cd".repeat(32),
};

const packed = (it: Ack) =>
  packAck({
    globalId: it.globalId,
    vault: basechainAddress(it.vault),
    account: basechainAddress(it.account),
    index: it.index,
    epoch: it.epoch,
    cumulativeNano: BigInt(it.cumulativeNano),
    heldNano: BigInt(it.heldNano),
    count: BigInt(it.n),
    receiptsHash: Buffer.from(it.receiptsHash, "hex"),
  });

const changes: readonly Partial<Ack>[] = [
  {},
  { globalId: 0, vault: "00".repeat(32), account: "00".repeat(32) },
  { globalId: -239 },
  { globalId: 2 ** 31 - 1 },
  { index: 0, n: 0, epoch: 0, cumulativeNano: "0" },
  { index: 2 ** 40, n: Number.MAX_SAFE_INTEGER, epoch: 2 ** 32 - 1 },
  ...["1", "15", "16", "255", "256", "4095", "65536", String(2n ** 63n), String(2n ** 120n - 1n)].flatMap(
    (nano) => [{ cumulativeNano: nano }, { heldNano: nano }, { cumulativeNano: nano, heldNano: nano }],
  ),
];

it.each(changes)("is the hash of the cell that a node disputes with: %j", (change) => {
  const changed = { ...ack, ...change };
  expect(ackHash(changed)).toEqual(packed(changed).hash());
});

it("differs for every field", () => {
  const others: readonly Partial<Ack>[] = [
    { globalId: -4 },
    { vault: "a2".repeat(32) },
    { account: "0c".repeat(32) },
    { index: 6 },
    { epoch: 8 },
    { n: 13 },
    { cumulativeNano: "24701" },
    { heldNano: "1" },
    { receiptsHash: "ce".repeat(32) },
  ];
  const hashes = [{}, ...others].map((change) => ackHash({ ...ack, ...change }).toString("hex"));
  expect(new Set(hashes).size).toBe(hashes.length);
});

it("refuses an amount that no coins field holds", () => {
  expect(() => ackHash({ ...ack, cumulativeNano: String(2n ** 120n) })).toThrow(RangeError);
});
