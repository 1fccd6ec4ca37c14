import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vaultOps } from "@bombyx/contracts/vault-messages";
import { Address, Cell } from "@ton/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { depositOrder } from "./deposit-command.ts";
import { sponsorName } from "./sponsor-name.ts";

const vault = `0:${"ab".repeat(32)}`;
let folder: string;
let environment: NodeJS.ProcessEnv;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bombyx-deposit-"));
  const file = join(folder, "settlement.json");
  const paths = { committerSeedFile: "committer.seed", ackSeedFile: "ack.seed" };
  const endpoints = ["https://one.example/api/v2", "https://two.example/api/v2"];
  writeFileSync(file, JSON.stringify({ globalId: -3, vault, registry: vault, endpoints, ...paths }));
  environment = { BOMBYX_SETTLEMENT: file };
});
afterEach(() => rmSync(folder, { recursive: true }));

it("is the message that credits this developer, for any wallet", () => {
  const told = JSON.parse(depositOrder(["--developer", "acme", "--nano", "5000", "--json"], environment));
  expect(Address.parse(told.to).toRawString()).toBe(vault);
  expect(Address.parseFriendly(told.to)).toMatchObject({ isBounceable: true, isTestOnly: true });
  const slice = Cell.fromBase64(told.body).beginParse();
  expect(slice.loadUint(32)).toBe(vaultOps.sponsorDeposit);
  expect(slice.skip(64).loadUintBig(256)).toBe(sponsorName("acme"));
  expect(slice.loadCoins()).toBe(5_000n);
  expect(BigInt(told.amountNano)).toBe(50_005_000n);
  const link = new URL(told.link);
  expect(Cell.fromBoc(Buffer.from(link.searchParams.get("bin") ?? "", "base64url"))[0]?.hash()).toEqual(
    Cell.fromBase64(told.body).hash(),
  );
});

it("names developers apart", () => {
  expect(sponsorName("acme")).not.toBe(sponsorName("acme2"));
  expect(sponsorName("acme") < 1n << 256n).toBe(true);
});

it.each([
  [["--developer", "acme"]],
  [["--nano", "5"]],
  [["--developer", "acme", "--nano", "0"]],
  [["--developer", "acme", "--nano", "1.5"]],
])("refuses %j, and says what it takes", (args) => {
  expect(() => depositOrder(args, environment)).toThrow(/--developer NAME and --nano N/);
});

it("needs the settlement file, which names the vault", () => {
  expect(() => depositOrder(["--developer", "acme", "--nano", "5"], {})).toThrow(
    /BOMBYX_SETTLEMENT is not set/,
  );
});
