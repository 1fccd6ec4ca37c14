import { createHash } from "node:crypto";
import { voucherHash } from "@bombyx/contracts/client-channel";
import { voucherCell } from "@bombyx/protocol/receipt";
import { Address } from "@ton/core";
import fc from "fast-check";
import { expect, it } from "vitest";

const party = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => `0:${Buffer.from(bytes).toString("hex")}`);
const hashOf = (cell: Uint8Array) => createHash("sha256").update(cell).digest("hex");

it("signs the hash of the very cell that the contract rebuilds, for any network, party and total", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      party,
      party,
      fc.oneof(
        fc.constantFrom(0n, 1n, 15n, 16n, 255n, 256n, 2n ** 63n, 2n ** 120n - 1n),
        fc.bigInt({ min: 0n, max: 2n ** 120n - 1n }),
      ),
      (globalId, channel, vault, totalNano) => {
        const expected = voucherHash(globalId, Address.parse(channel), Address.parse(vault), totalNano);
        expect(hashOf(voucherCell({ globalId, channel, vault, totalNano }))).toBe(expected.toString("hex"));
      },
    ),
  );
});

it("is another cell for another network, channel, vault or total", () => {
  const terms = {
    globalId: -239,
    channel: `0:${"11".repeat(32)}`,
    vault: `0:${"22".repeat(32)}`,
    totalNano: 5n,
  };
  const others = [
    { ...terms, globalId: -3 },
    { ...terms, channel: terms.vault },
    { ...terms, vault: terms.channel },
    { ...terms, totalNano: 6n },
  ];
  expect(new Set([terms, ...others].map((one) => hashOf(voucherCell(one)))).size).toBe(5);
});

it.each([
  ["a total below zero", { totalNano: -1n }, /no coins/],
  ["a total above 2^120", { totalNano: 2n ** 120n }, /no coins/],
  ["a channel of the masterchain", { channel: `-1:${"11".repeat(32)}` }, /basechain/],
  ["a vault in another notation", { vault: "EQAREREREREREREREREREREREREREREREREREREREREREeYT" }, /basechain/],
])("signs no cell for %s", (_what, change, refusal) => {
  const terms = {
    globalId: 1,
    channel: `0:${"11".repeat(32)}`,
    vault: `0:${"22".repeat(32)}`,
    totalNano: 1n,
  };
  expect(() => voucherCell(terms)).not.toThrow();
  expect(() => voucherCell({ ...terms, ...change })).toThrow(refusal);
});
